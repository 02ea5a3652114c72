import Diagnosis
import Foundation
import Support
import Torch

/// A training of a language model; windows of random length, the learning rate in proportion to them, states carried from one to the next.
public final class LanguageTraining: StudyTraining {
  /// Passes over the text.
  public let epochs: Int
  /// What makes the steps.
  public let optimizer: Adam

  private let settings: LanguageModelSettings
  private let seed: Int
  private let model: LanguageModel
  private let columns: Tensor
  private let test: [Int32]
  private let dropout: Generator

  /// Prepares a training.
  ///
  /// - Parameter hidden: Hidden features of all layers but the last.
  /// - Throws: `UsageFailure` for a text with less than two words a column.
  public init(_ corpus: TextCorpus, hidden: Int, settings: LanguageModelSettings, epochs: Int, seed: Int) throws {
    guard corpus.training.count >= 2 * settings.columns, corpus.test.count >= 20 else {
      throw UsageFailure(
        "a text of \(corpus.training.count) words is too short for \(settings.columns) columns; give more of it")
    }
    self.epochs = epochs
    self.settings = settings
    self.seed = seed
    model = try LanguageModel(vocabulary: corpus.vocabulary, hidden: hidden, settings: settings, seed: seed)
    optimizer = try Adam(
      model.parameters.map(\.tensor), weightDecays: model.parameters.map { _ in settings.weightDecay })
    columns = try Self.columns(corpus.training, settings.columns)
    test = corpus.test
    dropout = try Generator(seed: 0)
  }

  /// The learnable tensors by name.
  public var parameters: [(name: String, tensor: Tensor)] { model.parameters }
  /// Hidden layers, and their gates.
  public var groups: [ChannelGroup] { model.channelGroups }

  /// Reads the text once.
  public func train(epoch: Int, check: () throws -> Void) throws -> (loss: Double, learningRate: Double) {
    let passed = settings.milestones.count { Double(epoch) >= $0 * Double(epochs) }
    let rate = settings.learningRate * pow(0.1, Double(passed))
    var random = SeededGenerator(seed: seed, .textWindows, at: epoch)
    var seeds = SeededGenerator(seed: seed, .dropout, at: epoch)
    var states = try model.initialStates(columns: settings.columns)
    var (start, sum, words) = (0, 0.0, 0)
    while start < columns.shape[0] - 1 {
      try check()
      let length = min(Self.length(settings.window, &random), columns.shape[0] - 1 - start)
      try dropout.seed(seeds.next())
      let pass = try model.forward(columns.slice(0, start..<start + length), from: states, dropout: dropout)
      states = pass.states
      let own = try pass.logits.crossEntropy(columns.slice(0, start + 1..<start + length + 1).reshaped([-1]))
      var loss = try own + (pass.dropped * pass.dropped).mean() * settings.activationPenalty
      if length > 1 {
        let change = try pass.features.slice(0, 1..<length) - pass.features.slice(0, 0..<length - 1)
        loss = try loss + (change * change).mean() * settings.temporalPenalty
      }
      try step(
        loss, learningRate: rate * Double(length) / Double(settings.window), clipNorm: settings.clipNorm)
      sum += try own.item() * Double(length)
      words += length
      start += length
    }
    return (sum / Double(words), rate)
  }

  /// The perplexity of the words to test on.
  public func score(check: () throws -> Void) throws -> Double {
    try withoutGradients {
      let columns = try Self.columns(test, min(10, test.count / 2))
      var states = try model.initialStates(columns: columns.shape[1])
      var (start, sum) = (0, 0.0)
      let last = columns.shape[0] - 1
      while start < last {
        try check()
        let length = min(settings.window, last - start)
        let pass = try model.forward(columns.slice(0, start..<start + length), from: states, dropout: nil)
        states = pass.states
        let target = try columns.slice(0, start + 1..<start + length + 1).reshaped([-1])
        sum += try pass.logits.crossEntropy(target).item() * Double(length)
        start += length
      }
      return exp(sum / Double(last))
    }
  }

  // Each column a stretch of the text: [words a column, columns].
  private static func columns(_ words: [Int32], _ count: Int) throws -> Tensor {
    let length = words.count / count
    let values = words.prefix(length * count).map(Int64.init)
    return try Tensor(values, shape: [count, length]).permuted([1, 0]).contiguous()
  }

  // Usually about the whole window, sometimes about half of it.
  private static func length(_ window: Int, _ random: inout SeededGenerator) -> Int {
    let base = Double(window) / (random.nextUnit() < 0.95 ? 1 : 2)
    let (a, b) = (1 - random.nextUnit(), random.nextUnit())
    let normal = (-2 * log(a)).squareRoot() * cos(2 * .pi * b)
    return max(5, Int(base + 5 * normal))
  }
}
