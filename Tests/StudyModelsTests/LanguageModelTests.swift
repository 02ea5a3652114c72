import Diagnosis
import Foundation
import Records
import Support
import Testing
import Torch

@testable import StudyModels

@Suite struct LanguageModelTests {
  private let settings: LanguageModelSettings = {
    var settings = LanguageModelSettings.small
    (settings.embedding, settings.layers, settings.columns, settings.window) = (3, 2, 2, 6)
    return settings
  }()

  private let folders = FilledFolders()

  @Test("Words are numbered as they come, and every line ends in a word of its own", arguments: ["", "ptb."])
  func readsText(_ prefix: String) throws {
    let line = Array(repeating: "a b a", count: 30).joined(separator: "\n")
    let place = try folders.make([
      "\(prefix)train.txt": " the cat \n\n" + line + "\n", "\(prefix)valid.txt": line,
      "\(prefix)test.txt": line + "\nnew\n",
    ])
    let corpus = try TextCorpus(folder: place)
    #expect(corpus.training.prefix(8) == [0, 1, 2, 2, 3, 4, 3, 2])
    #expect(corpus.training.count == 4 + 120 && corpus.validation.count == 120)
    #expect(corpus.test.suffix(2) == [5, 2] && corpus.vocabulary == 6)
    #expect(corpus.keeping(0.9).training.count == 112)
    #expect(corpus.fingerprint != corpus.keeping(0.9).fingerprint)
  }

  @Test("What is no text, too little of it or not there is refused")
  func refuses() throws {
    #expect(throws: FileFailure.self) { try TextCorpus(folder: folders.make(["readme": ""])) }
    #expect(throws: FileFailure.self) { try TextCorpus(folder: folders.make(["train.txt": "a b\n"])) }
    let place = try folders.make()
    try Data([0xff, 0xfe, 0x00]).write(to: URL(fileURLWithPath: place + "/train.txt"))
    #expect(throws: FileFailure.self) { try TextCorpus(folder: place) }
  }

  @Test("Scores are those of gated recurrent units by hand, and go on from the state before")
  func byHand() throws {
    let model = try LanguageModel(vocabulary: 5, hidden: 4, settings: settings, seed: 1)
    func values(_ name: String) throws -> [Double] {
      try model.parameters.tensor(named: name).array(Float.self).map(Double.init)
    }
    let words = [[1, 4], [0, 2], [3, 3]]
    let input = try Tensor(words.flatMap { $0.map(Int64.init) }, shape: [3, 2])
    let states = try model.initialStates(columns: 2)
    let logits = try withoutGradients { try model.forward(input, from: states, dropout: nil).logits.array(Float.self) }
    // Once more in two parts.
    let parts = try withoutGradients {
      let first = try model.forward(input.slice(0, 0..<2), from: states, dropout: nil)
      let second = try model.forward(input.slice(0, 2..<3), from: first.states, dropout: nil)
      return try first.logits.array(Float.self) + second.logits.array(Float.self)
    }
    func product(_ weight: [Double], _ vector: [Double], _ row: Int) -> Double {
      vector.indices.reduce(0) { $0 + weight[row * vector.count + $1] * vector[$1] }
    }
    let (encoder, bias) = (try values("encoder.weight"), try values("decoder.bias"))
    var expected: [Double] = Array(repeating: 0, count: 30)
    for column in 0..<2 {
      var hidden = [Array(repeating: 0.0, count: 4), Array(repeating: 0.0, count: 3)]
      for (time, row) in words.enumerated() {
        var below = Array(encoder[row[column] * 3..<row[column] * 3 + 3])
        for layer in 0..<2 {
          let size = hidden[layer].count
          let (wi, wh) = (try values("rnns.\(layer).weight_ih_l0"), try values("rnns.\(layer).weight_hh_l0"))
          let (bi, bh) = (try values("rnns.\(layer).bias_ih_l0"), try values("rnns.\(layer).bias_hh_l0"))
          func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
          hidden[layer] = (0..<size).map { i in
            func gate(_ q: Int) -> (Double, Double) {
              let place = q * size + i
              return (product(wi, below, place) + bi[place], product(wh, hidden[layer], place) + bh[place])
            }
            let (r, z, n) = (gate(0), gate(1), gate(2))
            let new = tanh(n.0 + sigmoid(r.0 + r.1) * n.1)
            let update = sigmoid(z.0 + z.1)
            return (1 - update) * new + update * hidden[layer][i]
          }
          below = hidden[layer]
        }
        for word in 0..<5 { expected[(time * 2 + column) * 5 + word] = product(encoder, below, word) + bias[word] }
      }
    }
    for (index, value) in expected.enumerated() {
      #expect(abs(Double(logits[index]) - value) < 1e-5)
      #expect(abs(Double(parts[index]) - value) < 1e-5)
    }
  }

  @Test("Groups are the hidden layers with all that computes and reads them, and the gates by themselves")
  func groups() throws {
    let model = try LanguageModel(vocabulary: 5, hidden: 4, settings: .small, seed: 1)
    #expect(
      model.channelGroups.map(\.id) == [
        "rnns.0", "rnns.1", "rnns.0.r", "rnns.0.z", "rnns.0.n", "rnns.1.r", "rnns.1.z", "rnns.1.n",
      ])
    let whole = model.channelGroups[1]
    #expect(whole.width == 4 && whole.slices.count == 8)
    // The last layer reads the second: its weights are as many as an embedding has features.
    #expect(try model.parameters.tensor(named: whole.slices[7].tensor).shape == [300, 4])
    #expect(whole.slices.filter { $0.side == .incoming }.map(\.offset) == [0, 0, 4, 4, 8, 8])
  }

  @Test("A planted text is learned, and a training goes on after a stop with the same numbers")
  func learnsAndResumes() throws {
    let corpus = TextCorpus.planted(words: 4000, vocabulary: 20)
    var settings = LanguageModelSettings.small
    (settings.embedding, settings.columns, settings.window, settings.layers) = (24, 8, 20, 2)
    let make = { try LanguageTraining(corpus, hidden: 16, settings: settings, epochs: 12, seed: 3) }
    let whole = try StudyRun.train(make(), seed: 3)
    // Four words may follow each, one of them more often: 20 where nothing is learned.
    #expect(whole.score < 14, "\(whole.score)")
    #expect(whole.curve.values.count == 13 && whole.further.count == 3)
    struct Stopped: Error {}
    let folder = RunFolder(path: try folders.make())
    var run = StudyRun(in: folder, seed: 3, identity: "{\"a\":1}")
    run.interval = 0
    for limit in [25, 60] {
      var asked = 0
      #expect(throws: Stopped.self) {
        try run.result(check: {
          asked += 1
          if asked > limit { throw Stopped() }
        }) { try make() }
      }
    }
    let parts = try run.result { try make() }
    #expect(parts.score == whole.score && parts.curve.values == whole.curve.values)
    // Done is done, and a folder of another training is refused.
    let again = try run.result { throw Stopped() }
    #expect(again.score == parts.score)
    #expect(throws: UsageFailure.self) {
      try StudyRun(in: folder, seed: 3, identity: "{\"a\":2}").result { try make() }
    }
    #expect(throws: UsageFailure.self) {
      try LanguageTraining(corpus.keeping(0), hidden: 16, settings: .full, epochs: 1, seed: 0)
    }
  }
}
