import Foundation
import Support

/// Papers with the words that they use, who cites whom, and the subject of each: Cora and graphs of its form.
public struct CitationGraph: Sendable, Hashable {
  /// For each paper, the words that it uses, as positions in the vocabulary.
  public var features: [[Int]]
  /// Words in the vocabulary.
  public var featureCount: Int
  /// For each paper, its class.
  public var labels: [Int]
  /// The classes.
  public var classNames: [String]
  /// Pairs of papers of which one cites the other, each once, the smaller number first.
  public var edges: [[Int]]
  /// The papers to train on.
  public var training: [Int]
  /// The papers to choose by.
  public var validation: [Int]
  /// The papers to test on.
  public var test: [Int]

  /// Reads a folder: `cora.nodes.tsv` and `cora.edges.tsv`, or `cora.content` and `cora.cites`.
  ///
  /// The first form says which papers are trained on. For the second it is drawn: 20 of each class, 500 and 1,000 (all that are left of fewer).
  ///
  /// - Parameter seed: The seed of the draw.
  /// - Throws: `FileFailure`: `missing`, or `badData` with the line.
  public init(folder: String, seed: Int = 0) throws {
    func file(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }
    if FileManager.default.fileExists(atPath: file("cora.nodes.tsv")) {
      try self.init(nodes: file("cora.nodes.tsv"), edges: file("cora.edges.tsv"))
    } else if FileManager.default.fileExists(atPath: file("cora.content")) {
      try self.init(content: file("cora.content"), cites: file("cora.cites"), seed: seed)
    } else {
      throw FileFailure(
        .missing, path: folder, reason: "there is neither cora.nodes.tsv nor cora.content in this folder")
    }
  }

  /// A number that changes with anything in the graph; equal graphs have equal ones on every machine.
  public var fingerprint: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a, over whole numbers
    func add(_ values: [Int]) {
      for value in values + [-1] { hash = (hash ^ UInt64(bitPattern: Int64(value))) &* 0x100_0000_01b3 }
    }
    for words in features { add(words) }
    for edge in edges { add(edge) }
    for list in [[featureCount], labels, training, validation, test] { add(list) }
    return String(hash, radix: 16)
  }

  private static func lines(_ path: String) throws -> [(number: Int, fields: [Substring], text: Substring)] {
    guard let data = FileManager.default.contents(atPath: path), let text = String(validating: data, as: UTF8.self)
    else {
      throw FileFailure(.missing, path: path, reason: "there is no such file, or it is no text")
    }
    return text.split(whereSeparator: \.isNewline).enumerated().map {
      ($0 + 1, $1.split(separator: "\t", omittingEmptySubsequences: false), $1)
    }
  }

  private static func bad(_ path: String, _ line: Int, _ reason: String) -> FileFailure {
    FileFailure(.badData, path: path, reason: "line \(line): \(reason)")
  }

  private init(nodes path: String, edges edgePath: String) throws {
    (features, labels, training, validation, test) = ([], [], [], [], [])
    var largest = -1
    for (number, fields, _) in try Self.lines(path) {
      guard fields.count == 4, Int(fields[0]) == labels.count, let label = Int(fields[1]), (0..<1000).contains(label)
      else {
        throw Self.bad(
          path, number, "expected the number of the paper, its class, its part and its words, with tabs between")
      }
      switch fields[2] {
      case "train": training.append(labels.count)
      case "val": validation.append(labels.count)
      case "test": test.append(labels.count)
      case "none": break
      case let other: throw Self.bad(path, number, "a paper is of train, val, test or none, not of \(other)")
      }
      let words = fields[3].split(separator: " ").map { Int($0) ?? -1 }
      guard words.allSatisfy({ (0..<1_000_000).contains($0) }) else {
        throw Self.bad(path, number, "a word is a number from 0 on")
      }
      largest = max(largest, words.max() ?? -1)
      labels.append(label)
      features.append(words)
    }
    featureCount = largest + 1
    classNames = (0...(labels.max() ?? 0)).map { "\($0)" }
    let count = labels.count
    edges = Self.unique(
      try Self.lines(edgePath).map { number, fields, _ in
        guard fields.count == 2, let a = Int(fields[0]), let b = Int(fields[1]), (0..<count).contains(a),
          (0..<count).contains(b)
        else { throw Self.bad(edgePath, number, "expected the numbers of two papers from 0 to \(count - 1)") }
        return [a, b]
      })
    try requireParts(path)
  }

  private init(content path: String, cites edgePath: String, seed: Int) throws {
    (features, labels, training, validation, test) = ([], [], [], [], [])
    var numbers: [Substring: Int] = [:]
    var names: [String] = []
    var width: Int?
    for (number, _, text) in try Self.lines(path) {
      let fields = text.split(whereSeparator: \.isWhitespace)
      guard fields.count >= 3, width ?? fields.count == fields.count else {
        throw Self.bad(path, number, "expected an id, \(max((width ?? 3) - 2, 1)) zeros and ones, and a class")
      }
      width = fields.count
      guard numbers.updateValue(labels.count, forKey: fields[0]) == nil else {
        throw Self.bad(path, number, "the paper \(fields[0]) is there twice")
      }
      var words: [Int] = []
      for (position, field) in fields[1..<fields.count - 1].enumerated() {
        guard field == "0" || field == "1" else {
          throw Self.bad(path, number, "a word is there or not, 1 or 0, not \(field)")
        }
        if field == "1" { words.append(position) }
      }
      let name = String(fields[fields.count - 1])
      if !names.contains(name) { names.append(name) }
      labels.append(names.firstIndex(of: name) ?? 0)
      features.append(words)
    }
    featureCount = max((width ?? 2) - 2, 0)
    classNames = names
    // Papers that are cited and not described are left out, as everywhere that this data is used.
    edges = Self.unique(
      try Self.lines(edgePath).compactMap { number, _, text in
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2 else { throw Self.bad(edgePath, number, "expected two ids") }
        guard let a = numbers[fields[0]], let b = numbers[fields[1]] else { return nil }
        return [a, b]
      })
    draw(seed: seed)
    try requireParts(path)
  }

  private mutating func draw(seed: Int) {
    var generator = SeededGenerator(seed: seed, .graphSplit)
    var order = Array(labels.indices)
    for last in order.indices.dropFirst().reversed() { order.swapAt(last, generator.nextInt(below: last + 1)) }
    var taken = Array(repeating: 0, count: classNames.count)
    var rest: [Int] = []
    for paper in order {
      if taken[labels[paper]] < 20 {
        taken[labels[paper]] += 1
        training.append(paper)
      } else {
        rest.append(paper)
      }
    }
    validation = Array(rest.prefix(500))
    test = Array(rest.dropFirst(500).prefix(1000))
  }

  private func requireParts(_ path: String) throws {
    guard featureCount > 0, !training.isEmpty, !test.isEmpty else {
      throw FileFailure(.badData, path: path, reason: "there are no words, or no papers to train or to test on")
    }
  }

  // Symmetric, without loops and doubles.
  private static func unique(_ pairs: [[Int]]) -> [[Int]] {
    var seen: Set<[Int]> = []
    return pairs.compactMap { pair in
      guard pair[0] != pair[1] else { return nil }
      let edge = [min(pair[0], pair[1]), max(pair[0], pair[1])]
      return seen.insert(edge).inserted ? edge : nil
    }
  }

  /// A graph of planted communities whose papers use the words of their community more often: for tests and trials without data.
  public static func planted(papers: Int = 210, classes: Int = 7, words: Int = 70, seed: Int = 0) -> CitationGraph {
    var generator = SeededGenerator(seed: seed, .graphSplit, at: 1)
    let labels = (0..<papers).map { $0 % classes }
    let features = labels.map { label in
      (0..<words).filter { generator.nextUnit() < ($0 % classes == label ? 0.25 : 0.05) }
    }
    var edges: [[Int]] = []
    for a in 0..<papers {
      for b in a + 1..<papers where generator.nextUnit() < (labels[a] == labels[b] ? 0.06 : 0.006) {
        edges.append([a, b])
      }
    }
    return CitationGraph(
      features: features, featureCount: words, labels: labels, classNames: (0..<classes).map { "\($0)" }, edges: edges,
      training: Array(0..<papers / 3), validation: Array(papers / 3..<papers / 2), test: Array(papers / 2..<papers))
  }

  /// Creates a graph from its parts.
  public init(
    features: [[Int]], featureCount: Int, labels: [Int], classNames: [String], edges: [[Int]], training: [Int],
    validation: [Int], test: [Int]
  ) {
    self.features = features
    self.featureCount = featureCount
    self.labels = labels
    self.classNames = classNames
    self.edges = edges
    self.training = training
    self.validation = validation
    self.test = test
  }
}
