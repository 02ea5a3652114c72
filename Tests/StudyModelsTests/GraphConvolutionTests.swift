import Diagnosis
import Foundation
import Records
import Support
import Testing
import Torch

@testable import StudyModels

@Suite struct GraphConvolutionTests {
  private let folders = FilledFolders()

  @Test func readsTables() throws {
    let place = try folders.make([
      "cora.nodes.tsv": "0\t1\ttrain\t0 2\n1\t0\ttest\t1\n2\t1\tnone\t\n3\t0\tval\t2\n",
      "cora.edges.tsv": "0\t1\n1\t0\n2\t2\n2\t3\n",
    ])
    let graph = try CitationGraph(folder: place)
    #expect(graph.features == [[0, 2], [1], [], [2]] && graph.featureCount == 3 && graph.labels == [1, 0, 1, 0])
    #expect(graph.edges == [[0, 1], [2, 3]])
    #expect(graph.training == [0] && graph.validation == [3] && graph.test == [1])
  }

  @Test func readsTheTextFormAndDrawsItsParts() throws {
    // 280 papers of each of two classes; a citation of an unknown paper counts for nothing.
    let content = (0..<560).map { "p\($0)\t\($0 % 2)\t1\t0\t\($0 % 2 == 0 ? "even" : "odd")" }.joined(separator: "\n")
    let place = try folders.make(["cora.content": content, "cora.cites": "p0\tp1\np1\tp0\np5\tp5\np9\tunknown\n"])
    let graph = try CitationGraph(folder: place, seed: 3)
    #expect(graph.edges == [[0, 1]] && graph.classNames == ["even", "odd"] && graph.featureCount == 3)
    #expect(graph.training.count == 40 && graph.training.count { graph.labels[$0] == 0 } == 20)
    #expect(graph.validation.count == 500 && graph.test.count == 20)
    #expect(try CitationGraph(folder: place, seed: 3) == graph)
    #expect(try CitationGraph(folder: place, seed: 4) != graph)
  }

  @Test(
    arguments: [
      ["cora.nodes.tsv": "0\t1\ttrain\t0\n2\t0\ttest\t1\n", "cora.edges.tsv": ""],
      ["cora.nodes.tsv": "0\t1\tteach\t0\n", "cora.edges.tsv": ""],
      ["cora.nodes.tsv": "0\t1\ttrain\t-4\n1\t0\ttest\t0\n", "cora.edges.tsv": ""],
      ["cora.nodes.tsv": "0\t1\ttrain\t0\n1\t0\ttest\t0\n", "cora.edges.tsv": "0\t2\n"],
      ["cora.nodes.tsv": "0\t1\ttrain\t0\n", "cora.edges.tsv": ""],
      ["cora.content": "a\t1\tx\nb\t1\t0\tx\n", "cora.cites": ""],
      ["cora.content": "a\t1\tx\na\t0\tx\n", "cora.cites": ""],
      ["cora.content": "a\t7\tx\n", "cora.cites": ""], ["cora.content": "a\t1\tx\n", "cora.cites": "a\n"],
      ["cora.nodes.tsv": "0\t1\ttrain\t0\n1\t0\ttest\t0\n"], ["readme": ""],
    ] as [[String: String]]) func refusesWhatIsNoGraph(_ files: [String: String]) throws
  {
    let place = try folders.make(files)
    #expect(throws: FileFailure.self) { try CitationGraph(folder: place) }
  }

  @Test func scoresAreThoseOfALoopByHand() throws {
    let graph = CitationGraph(
      features: [[0], [1], [0, 1]], featureCount: 2, labels: [0, 1, 0], classNames: ["a", "b"],
      edges: [[0, 1], [1, 2]],
      training: [0], validation: [1], test: [2])
    let model = try GraphConvolution(graph, hidden: 3, seed: 1)
    let (w1, w2) = (
      try model.parameters.tensor(named: "gc1.weight").array(Float.self),
      try model.parameters.tensor(named: "gc2.weight").array(Float.self)
    )
    let words: [[Float]] = [[1, 0], [0, 1], [0.5, 0.5]]
    let degree: [Float] = [2, 3, 2]
    let linked: [[Float]] = [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    func spread(_ rows: [[Float]]) -> [[Float]] {
      (0..<3).map { i in
        rows[0].indices.map { c in
          (0..<3).reduce(Float(0)) { $0 + linked[i][$1] / (degree[i] * degree[$1]).squareRoot() * rows[$1][c] }
        }
      }
    }
    func product(_ rows: [[Float]], _ weight: [Float], _ columns: Int) -> [[Float]] {
      rows.map { row in
        (0..<columns).map { c in row.indices.reduce(Float(0)) { $0 + row[$1] * weight[$1 * columns + c] } }
      }
    }
    let hidden = spread(product(words, w1, 3)).map { $0.map { max($0, 0) } }
    let expected = spread(product(hidden, w2, 2)).flatMap { $0 }
    let scores = try withoutGradients { try model.forward(dropout: nil).array(Float.self) }
    for (a, b) in zip(scores, expected) { #expect(abs(a - b) < 1e-6) }
  }

  @Test func whateverChangesIsSeenInTheFingerprint() {
    let graph = CitationGraph.planted()
    #expect(graph.fingerprint == CitationGraph.planted().fingerprint)
    var others = Array(repeating: graph, count: 5)
    others[0].features[3] = [1, 2]
    others[1].edges.swapAt(0, 1)
    others[2].labels[0] = 6
    others[3].test.removeLast()
    others[4] = .planted(seed: 1)
    #expect(Set((others + [graph]).map(\.fingerprint)).count == 6)
  }

  @Test func learnsPlantedCommunitiesAndRepeatsItself() throws {
    let graph = CitationGraph.planted()
    func train(_ hidden: Int, _ epochs: Int) throws -> WidthSweepSummary.Result {
      try StudyRun.train(GraphTraining(graph, hidden: hidden, epochs: epochs, seed: 2), seed: 2)
    }
    let (first, again) = (try train(16, 150), try train(16, 150))
    #expect(first.score > 60, "\(first.score)")
    #expect(first.score == again.score && first.curve.values == again.curve.values)
    #expect(first.curve.values.count == 151 && first.curve.values.allSatisfy { $0 != nil })
    // A single feature has no variance: missing, and never a number that is not one.
    let single = try train(1, 14)
    #expect(single.curve.values.allSatisfy { $0 == nil } && single.finding.pattern == .undetermined)
  }

  /// 23,063 parameters for 1,433 words, 16 features and 7 classes.
  @Test func parametersOfTheSpecification() throws {
    let graph = CitationGraph.planted(papers: 14, classes: 7, words: 1433)
    #expect(try GraphConvolution(graph, hidden: 16, seed: 0).parameters.reduce(0) { $0 + $1.tensor.count } == 23_063)
  }
}
