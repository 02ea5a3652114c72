import Foundation
import Networks

/// The network that this program wrote into a model's metadata: what the graph, which is for inference, does not say. That is where a
/// normalization was folded away, which widths follow others, dropout, stages and blocks.
///
/// It is believed where it computes what the graph does, and passed over where somebody has changed the graph since.
struct ONNXDescription {
  static let key = "width_transfer.architecture"

  let network: Network
  /// The normalization behind each convolution that nothing else reads.
  let normalizations: [String: Normalization]

  /// A normalization behind a convolution.
  struct Normalization {
    var name: String
    var norm: BatchNorm
    /// Whether the convolution has a bias all the same, as VGG's have.
    var followsBias: Bool
  }

  /// Nil when there is none, or one that cannot be read.
  init?(_ metadata: [String: String]) {
    guard let text = metadata[Self.key], let network = try? Network(json: Data(text.utf8)),
      (try? network.resolved()) != nil
    else { return nil }
    self.network = network
    var readers: [String: Int] = [:]
    for input in network.layers.flatMap(\.inputs) { readers[input, default: 0] += 1 }
    var biases: [String: Bool] = [:]
    for layer in network.layers {
      if case .convolution(let convolution) = layer.operation { biases[layer.name] = convolution.hasBias }
    }
    var normalizations: [String: Normalization] = [:]
    for layer in network.layers {
      guard case .batchNorm(let norm) = layer.operation, let source = layer.inputs.first, readers[source] == 1,
        let hasBias = biases[source]
      else { continue }
      normalizations[source] = Normalization(name: layer.name, norm: norm, followsBias: hasBias)
    }
    self.normalizations = normalizations
  }

  /// The network at the graph's size of images, where both have the same layers with weights, of the same shapes, and cost the same.
  func matching(_ graph: ResolvedNetwork) -> Network? {
    let (height, width) = (graph.input.height, graph.input.width)
    var own = network
    own.name = graph.name
    if own.input.height != height || own.input.width != width {
      guard height == width else { return nil }
      own = own.at(resolution: height)
    }
    guard let resolved = try? own.resolved(), resolved.input == graph.input, resolved.output == graph.output,
      resolved.cost == graph.cost, Self.weights(resolved) == Self.weights(graph),
      Self.functions(resolved) == Self.functions(graph), Self.agree(resolved, graph)
    else { return nil }
    return own
  }

  // How often each function of single numbers is computed, which costs nothing and has no weights.
  private static func functions(_ network: ResolvedNetwork) -> [Networks.Operation: Int] {
    network.layers.reduce(into: [:]) { counts, layer in
      let operation = layer.layer.operation
      switch operation {
      case .activation: counts[operation, default: 0] += 1
      case .other(let other)
      where other.definition is ElementFunction || other.definition is ExponentialUnit
        || other.definition is NegativeSlope || other.definition is Clamp:
        counts[operation, default: 0] += 1
      default: break
      }
    }
  }

  // Whether the normalizations that the graph still has are those of the description.
  private static func agree(_ described: ResolvedNetwork, _ graph: ResolvedNetwork) -> Bool {
    graph.layers.allSatisfy { layer in
      guard case .batchNorm(let norm) = layer.layer.operation else { return true }
      guard case .batchNorm(let own)? = described[layer.layer.name]?.layer.operation else { return false }
      // The momentum is training's, and no graph for inference says it.
      return own.epsilon == norm.epsilon
    }
  }

  private static func weights(_ network: ResolvedNetwork) -> [String: [Int]] {
    var shapes: [String: [Int]] = [:]
    for layer in network.layers {
      for form in layer.layer.operation.definition.parameters {
        shapes[form.name(in: layer.layer.name)] = form.shape(
          input: layer.inputs.first?.channels ?? 0, output: layer.output.channels)
      }
    }
    return shapes
  }
}
