/// A layer while its shape is inferred: what it reads, and the words for what does not fit.
public struct OperationSite: Sendable {
  /// The layer.
  public let layer: Layer
  /// The shapes of its inputs, as many as the operation's arity says.
  public let inputs: [Shape]

  /// The first input.
  public var input: Shape { inputs[0] }

  /// The shape that the layer puts out, after its number of inputs has been checked.
  static func output(of layer: Layer, inputs: [Shape]) throws -> Shape {
    let site = OperationSite(layer: layer, inputs: inputs)
    let definition = layer.operation.definition
    switch definition.arity {
    case .one where inputs.count != 1:
      throw site.failure("\(definition.kind) has one input, but \(inputs.count) are given")
    case .two where inputs.count != 2:
      throw site.failure("\(definition.kind) has two inputs, but \(inputs.count) are given")
    case .several where inputs.isEmpty: throw site.failure("it reads nothing")
    case .one, .two, .several: break
    }
    let output = try definition.output(at: site)
    try site.require(output.channels, in: 1...Limits.channels, "number of output channels")
    try site.require(output.height, in: 1...Limits.side, "output height")
    try site.require(output.width, in: 1...Limits.side, "output width")
    return output
  }

  /// What slides over an image.
  public struct Window: Sendable {
    /// Height and width of the window.
    public var kernelSize: Extent
    /// Step between positions.
    public var stride: Extent
    /// Border added on both sides of each direction.
    public var padding: Extent
    /// Distance between the taps.
    public var dilation: Extent = 1
    /// Whether a last, incomplete window counts.
    public var roundsUp = false
  }

  /// The shape after sliding a window over the input.
  ///
  /// - Throws: ``NetworkFailure`` when the window does not fit.
  public func sliding(_ window: Window, channels: Int) throws -> Shape {
    func positions(_ size: Int, _ side: KeyPath<Extent, Int>, _ what: String) throws -> Int {
      let kernel = window.kernelSize[keyPath: side]
      let stride = window.stride[keyPath: side]
      let padding = window.padding[keyPath: side]
      let dilation = window.dilation[keyPath: side]
      try require(kernel, in: 1...Limits.side, "kernel \(what)")
      try require(stride, in: 1...Limits.side, "stride")
      try require(padding, in: 0...Limits.side, "padding")
      try require(dilation, in: 1...Limits.side, "dilation")
      // Within the limits, these sums and this product stay far below 2^63.
      let reach = dilation * (kernel - 1) + 1
      let room = size + 2 * padding - reach
      guard room >= 0 else {
        throw failure(
          "its window of \(reach) pixels does not fit into an input of \(input) with padding \(padding); choose a larger "
            + "resolution")
      }
      guard window.roundsUp else { return room / stride + 1 }
      let count = (room + stride - 1) / stride + 1
      // PyTorch drops a last window that would begin in the border.
      return (count - 1) * stride >= size + padding ? count - 1 : count
    }
    let height = try positions(input.height, \.height, "height")
    let width = try positions(input.width, \.width, "width")
    try require(height, in: 1...Limits.side, "output height")
    try require(width, in: 1...Limits.side, "output width")
    return Shape(channels: channels, height: height, width: width)
  }

  /// Makes sure that a number lies in a range.
  ///
  /// - Throws: ``NetworkFailure`` that names the layer and `what`.
  public func require(_ value: Int, in range: ClosedRange<Int>, _ what: String) throws {
    guard range.contains(value) else {
      throw failure("its \(what) is \(value), outside of \(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// Makes sure that a probability is one.
  public func require(probability: Double) throws {
    guard (0...1).contains(probability) else { throw failure("its probability is \(probability), not between 0 and 1") }
  }

  /// A failure that names the layer.
  public func failure(_ reason: String) -> NetworkFailure { NetworkFailure(layer: layer.name, reason) }
}

extension Layer {
  /// The shape that it puts out, for inputs of these shapes.
  ///
  /// - Throws: ``NetworkFailure`` that names the layer, when they do not fit.
  package func output(of inputs: [Shape]) throws -> Shape { try OperationSite.output(of: self, inputs: inputs) }
}
