import Diagnosis
import Support
import Torch

/// Fully connected layers with one nonlinearity between them: the model of the probes of ``PhenomenaProbes``.
final class Perceptron {
  /// What stands between layers.
  enum Activation { case relu, tanh }

  /// The learnable tensors by name: `0.weight` [outputs, inputs], `0.bias` [outputs] and so on.
  let parameters: [(name: String, tensor: Tensor)]
  private let activation: Activation
  private let sizes: [Int]

  /// Creates layers as PyTorch's `Linear` draws them, uniform up to 1/√inputs.
  ///
  /// - Parameters:
  ///   - sizes: Features of the input, of each hidden layer, and of the output.
  ///   - firstWeights: The largest weight of the first layer, where it is another.
  ///   - firstBiases: The same of its biases.
  init(
    _ sizes: [Int], _ activation: Activation = .relu, seed: Int, firstWeights: Double? = nil, firstBiases: Double? = nil
  ) throws {
    self.sizes = sizes
    self.activation = activation
    let generator = try Generator(seed: SeededGenerator(seed: seed, .probes).state)
    parameters = try zip(sizes, sizes.dropFirst()).enumerated().flatMap { layer, size in
      let limit = 1 / Double(size.0).squareRoot()
      func drawn(_ shape: [Int], _ first: Double?) throws -> Tensor {
        let limit = layer == 0 ? first ?? limit : limit
        return try Tensor.uniform(shape, low: -limit, high: limit, generator: generator)
      }
      return [
        ("\(layer).weight", try drawn([size.1, size.0], firstWeights)),
        ("\(layer).bias", try drawn([size.1], firstBiases)),
      ]
    }
    for (_, tensor) in parameters { try tensor.setRequiresGradient(true) }
  }

  /// The learnable tensors.
  var tensors: [Tensor] { parameters.map(\.tensor) }

  /// The outputs [samples, outputs] of inputs [samples, inputs].
  func callAsFunction(_ inputs: Tensor) throws -> Tensor {
    var values = inputs
    for layer in 0..<parameters.count / 2 {
      if layer > 0 { values = try activation == .relu ? values.relu() : values.tanh() }
      values = try values.linear(parameters[2 * layer].tensor, bias: parameters[2 * layer + 1].tensor)
    }
    return values
  }

  /// The share of samples, in percent, whose class is not the one with the largest output.
  func errorRate(_ inputs: Tensor, _ labels: [Int]) throws -> Double {
    let guesses = try withoutGradients { try self(inputs).argmax(1).array(Int64.self) }
    return 100 * Double(zip(guesses, labels).count { Int($0) != $1 }) / Double(labels.count)
  }

  /// The channels of a hidden layer, from 0: its rows, and the columns of the next.
  func channelGroup(_ layer: Int) -> ChannelGroup {
    ChannelGroup(
      id: "\(layer)", numbers: [layer + 1], width: sizes[layer + 1],
      slices: [
        ChannelSlice(tensor: "\(layer).weight", axis: 0, side: .incoming),
        ChannelSlice(tensor: "\(layer + 1).weight", axis: 1, side: .outgoing),
      ])
  }
}
