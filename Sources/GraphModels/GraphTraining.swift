import Diagnosis
import Records
import Support
import Torch
import Training

/// A training of a graph convolution as Kipf and Welling (2017) have it: Adam at 0.01, weight decay 5e-4 on the first matrix, dropout of a
/// half, all nodes in one batch; the weight norms are followed.
public struct GraphTraining {
  /// The data.
  public var graph: CitationGraph
  /// Hidden features.
  public var hidden: Int
  /// Steps, one an epoch.
  public var epochs: Int
  /// The seed of weights and dropout.
  public var seed: Int

  /// Describes a training.
  public init(_ graph: CitationGraph, hidden: Int, epochs: Int = 200, seed: Int = 0) {
    self.graph = graph
    self.hidden = hidden
    self.epochs = epochs
    self.seed = seed
  }

  /// Trains, and returns the series of the hidden layer and the accuracy on the papers to test on.
  ///
  /// - Parameter check: Asked before every step; what it throws ends the training.
  public func run(check: () throws -> Void = {}) throws -> WidthSweepSummary.Result {
    let model = try GraphConvolution(graph, hidden: hidden, seed: seed)
    let optimizer = try Adam(
      model.parameters.map(\.tensor), weightDecays: model.parameters.map { $0.name == "gc1.weight" ? 5e-4 : 0 })
    let dropout = try Generator(seed: 0)
    let nodes = try Tensor(graph.training.map(Int64.init))
    let labels = try Tensor(graph.training.map { Int64(graph.labels[$0]) })
    let reader = WeightNormReader([model.channelGroup])
    var samples = reader.samples(try reader.read { try model.tensor(named: $0) }, epoch: 0)
    for epoch in 1...max(epochs, 1) {
      try check()
      var seeds = SeededGenerator(seed: seed, .dropout, at: epoch)
      try dropout.seed(seeds.next())
      let loss = try model.forward(dropout: dropout).selecting(0, nodes).crossEntropy(labels)
      try Tensor.clearGradients(model.parameters.map(\.tensor))
      try loss.backward()
      try optimizer.step(learningRate: 0.01)
      samples += reader.samples(try reader.read { try model.tensor(named: $0) }, epoch: epoch)
    }
    let guesses = try withoutGradients {
      try model.forward(dropout: nil).argmax(1).array(Int64.self)
    }
    let right = graph.test.count { Int(guesses[$0]) == graph.labels[$0] }
    let series = NormSeries(samples)
    let curve = series.curve("gc1")
    return .init(
      seed: seed, score: 100 * Double(right) / Double(graph.test.count), curve: curve,
      finding: PatternClassifier().classify(curve))
  }
}
