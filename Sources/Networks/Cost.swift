/// What one forward pass of one image costs.
///
/// The convention is the one of the width-optimization literature (which calls the first number "FLOPs") and of
/// torchvision: one multiply-accumulate counts one, convolutions and linear layers count, everything else and all
/// biases do not.
public struct Cost: Codable, Hashable, Sendable {
  /// Multiply-accumulates of convolutions and linear layers, biases not counted.
  public var macs: Int
  /// Learnable numbers: weights and biases, scales and shifts of batch norms; not the running statistics.
  public var parameters: Int
  /// Numbers that convolutions and linear layers put out.
  public var activations: Int

  /// Creates a cost.
  public init(macs: Int = 0, parameters: Int = 0, activations: Int = 0) {
    self.macs = macs
    self.parameters = parameters
    self.activations = activations
  }
}

/// The cost of one layer.
public struct LayerCost: Codable, Hashable, Sendable {
  /// The layer's name.
  public var name: String
  /// What it costs.
  public var cost: Cost

  /// Creates a layer's cost.
  public init(name: String, cost: Cost) {
    self.name = name
    self.cost = cost
  }
}

extension ResolvedLayer {
  /// What the layer costs for one image.
  ///
  /// - Throws: ``NetworkFailure`` when a number does not fit in 64 bits.
  public func cost() throws -> Cost {
    let checked = Checked(layer: layer.name)
    switch layer.operation {
    case .convolution(let convolution):
      let input = inputs[0].channels
      let perPosition = try checked.product(
        convolution.kernelSize.height, convolution.kernelSize.width,
        input / convolution.groups(inputChannels: input), output.channels)
      return Cost(
        macs: try checked.product(perPosition, output.height, output.width),
        parameters: try checked.sum(perPosition, convolution.hasBias ? output.channels : 0),
        activations: try checked.product(output.channels, output.height, output.width))
    case .linear(let linear):
      let weights = try checked.product(inputs[0].channels, output.channels)
      return Cost(
        macs: weights, parameters: try checked.sum(weights, linear.hasBias ? output.channels : 0),
        activations: output.channels)
    case .batchNorm: return Cost(parameters: 2 * output.channels)
    default: return Cost()
    }
  }
}

extension ResolvedNetwork {
  /// What each layer costs for one image, in network order.
  ///
  /// - Throws: ``NetworkFailure`` when a number does not fit in 64 bits.
  public func layerCosts() throws -> [LayerCost] {
    try layers.map { LayerCost(name: $0.layer.name, cost: try $0.cost()) }
  }

  /// What the network costs for one image.
  ///
  /// - Throws: ``NetworkFailure`` when a number does not fit in 64 bits.
  public func cost() throws -> Cost {
    var total = Cost()
    for layer in layers {
      let checked = Checked(layer: layer.layer.name)
      let cost = try layer.cost()
      total.macs = try checked.sum(total.macs, cost.macs)
      total.parameters = try checked.sum(total.parameters, cost.parameters)
      total.activations = try checked.sum(total.activations, cost.activations)
    }
    return total
  }
}

extension Network {
  /// What one image costs.
  ///
  /// - Throws: ``NetworkFailure`` when the network is invalid or a number does not fit in 64 bits.
  public func cost() throws -> Cost { try resolved().cost() }

  /// What one square image of another resolution costs.
  ///
  /// - Throws: ``NetworkFailure`` when the network does not suit the resolution.
  public func cost(at resolution: Int) throws -> Cost { try at(resolution: resolution).cost() }
}
