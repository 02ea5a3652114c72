import Diagnosis
import Support
import Torch

/// A training of a graph convolution as Kipf and Welling (2017) have it: Adam at 0.01, weight decay 5e-4 on the first matrix, dropout of a
/// half, all nodes in one batch, a step an epoch.
public final class GraphTraining: StudyTraining {
  /// Steps, one an epoch.
  public let epochs: Int
  /// What makes the steps.
  public let optimizer: Adam

  private let graph: CitationGraph
  private let seed: Int
  private let model: GraphConvolution
  private let dropout: Generator
  private let nodes: Tensor
  private let labels: Tensor

  /// Prepares a training.
  ///
  /// - Parameter hidden: Hidden features.
  public init(_ graph: CitationGraph, hidden: Int, epochs: Int = 200, seed: Int = 0) throws {
    self.graph = graph
    self.epochs = epochs
    self.seed = seed
    model = try GraphConvolution(graph, hidden: hidden, seed: seed)
    optimizer = try Adam(
      model.parameters.map(\.tensor), weightDecays: model.parameters.map { $0.name == "gc1.weight" ? 5e-4 : 0 })
    dropout = try Generator(seed: 0)
    nodes = try Tensor(graph.training.map(Int64.init))
    labels = try Tensor(graph.training.map { Int64(graph.labels[$0]) })
  }

  /// The learnable tensors by name.
  public var parameters: [(name: String, tensor: Tensor)] { model.parameters }
  /// The hidden layer.
  public var groups: [ChannelGroup] { [model.channelGroup] }

  /// Makes one step.
  public func train(epoch: Int, check: () throws -> Void) throws -> (loss: Double, learningRate: Double) {
    try check()
    var seeds = SeededGenerator(seed: seed, .dropout, at: epoch + 1)
    try dropout.seed(seeds.next())
    let loss = try model.forward(dropout: dropout).selecting(0, nodes).crossEntropy(labels)
    try step(loss, learningRate: 0.01)
    return (try loss.item(), 0.01)
  }

  /// The accuracy on the papers to test on, in percent.
  public func score(check: () throws -> Void) throws -> Double {
    let guesses = try withoutGradients { try model.forward(dropout: nil).argmax(1).array(Int64.self) }
    let right = graph.test.count { Int(guesses[$0]) == graph.labels[$0] }
    return 100 * Double(right) / Double(graph.test.count)
  }
}
