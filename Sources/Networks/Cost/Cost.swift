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

extension Cost {
  /// What a layer costs for one image, from its operation's definition.
  ///
  /// - Throws: ``NetworkFailure`` when a number does not fit in 64 bits.
  init(of layer: Layer, inputs: [Shape], output: Shape) throws {
    self.init()
    let definition = layer.operation.definition
    let checked = Checked(layer: layer.name)
    let input = inputs.first?.channels ?? 0
    switch definition.multiplyAccumulates {
    case .none: break
    case .dense(let window, let groups):
      macs = try checked.product(
        window.height, window.width, input / max(1, groups), output.channels, output.height, output.width)
      activations = try checked.product(output.channels, output.height, output.width)
    case .depthwise(let window):
      macs = try checked.product(window.height, window.width, output.channels, output.height, output.width)
      activations = try checked.product(output.channels, output.height, output.width)
    case .total(let count):
      macs = count
      activations = try checked.product(output.channels, output.height, output.width)
    }
    for form in definition.parameters {
      let count = try form.shape(input: input, output: output.channels).reduce(1) { try checked.product($0, $1) }
      parameters = try checked.sum(parameters, count)
    }
  }
}

extension ResolvedNetwork {
  /// What each layer costs for one image, in network order.
  public var layerCosts: [LayerCost] { layers.map { LayerCost(name: $0.layer.name, cost: $0.cost) } }
}

extension Network {
  /// What one image costs.
  ///
  /// - Throws: ``NetworkFailure`` when the network is invalid or a number does not fit in 64 bits.
  public func cost() throws -> Cost { try resolved().cost }

  /// What one square image of another resolution costs.
  ///
  /// - Throws: ``NetworkFailure`` when the network does not suit the resolution.
  public func cost(at resolution: Int) throws -> Cost { try at(resolution: resolution).cost() }
}
