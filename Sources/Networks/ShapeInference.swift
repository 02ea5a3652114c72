/// The shape that a layer puts out, and whether its inputs suit it.
struct ShapeInference {
  let layer: Layer
  let inputs: [Shape]

  init(layer: Layer, inputs: [Shape]) {
    self.layer = layer
    self.inputs = inputs
  }

  mutating func output() throws -> Shape {
    switch layer.operation {
    case .convolution(let convolution): return try output(of: convolution)
    case .batchNorm(let norm):
      guard norm.epsilon.isFinite, norm.epsilon >= 0, norm.momentum.isFinite else {
        throw failure("epsilon \(norm.epsilon) and momentum \(norm.momentum) must be finite")
      }
      return try single()
    case .activation: return try single()
    case .add: return try outputOfAdd()
    case .multiply: return try outputOfMultiply()
    case .concatenate: return try outputOfConcatenate()
    case .maxPool(let pool), .averagePool(let pool): return try output(of: pool)
    case .adaptiveAveragePool(let pool):
      let input = try single()
      try require(pool.height, in: 1...Limits.side, "output height")
      try require(pool.width, in: 1...Limits.side, "output width")
      return Shape(channels: input.channels, height: pool.height, width: pool.width)
    case .globalAveragePool: return Shape(channels: try single().channels, height: 1, width: 1)
    case .flatten: return try outputOfFlatten()
    case .linear(let linear): return try output(of: linear)
    case .dropout(let dropout): return try passing(probability: dropout.probability)
    case .stochasticDepth(let depth): return try passing(probability: depth.probability)
    }
  }

  private func output(of convolution: Convolution) throws -> Shape {
    let input = try single()
    try require(convolution.outputChannels, in: 1...Limits.channels, "number of output channels")
    switch convolution.grouping {
    case .dense: break
    case .depthwise:
      guard convolution.outputChannels == input.channels else {
        throw failure(
          "a depthwise convolution has as many outputs as inputs, but it has \(convolution.outputChannels) and reads "
            + "\(input.channels) channels")
      }
    case .grouped(let groups):
      try require(groups, in: 1...Limits.channels, "number of groups")
      guard input.channels.isMultiple(of: groups), convolution.outputChannels.isMultiple(of: groups) else {
        throw failure(
          "its \(input.channels) input and \(convolution.outputChannels) output channels must be multiples of its "
            + "\(groups) groups")
      }
    }
    let window = Window(
      kernelSize: convolution.kernelSize, stride: convolution.stride, padding: convolution.padding,
      dilation: convolution.dilation)
    return try slide(window, over: input, channels: convolution.outputChannels)
  }

  private func output(of pool: Pool) throws -> Shape {
    let input = try single()
    guard pool.padding.height * 2 <= pool.kernelSize.height, pool.padding.width * 2 <= pool.kernelSize.width else {
      throw failure("a pool may be padded by half its window at most")
    }
    let window = Window(
      kernelSize: pool.kernelSize, stride: pool.stride, padding: pool.padding, roundsUp: pool.roundsUp)
    return try slide(window, over: input, channels: input.channels)
  }

  private func outputOfAdd() throws -> Shape {
    let (first, second) = try pair()
    guard first == second else {
      throw failure("it adds \(layer.inputs[0]) (\(first)) and \(layer.inputs[1]) (\(second)), whose shapes differ")
    }
    return first
  }

  private func outputOfMultiply() throws -> Shape {
    let (first, second) = try pair()
    let gates = second.height == 1 && second.width == 1
    guard first.channels == second.channels, gates || first == second else {
      throw failure(
        "it multiplies \(layer.inputs[0]) (\(first)) by \(layer.inputs[1]) (\(second)); the second must have the first's "
          + "channels, and its size or 1×1")
    }
    return first
  }

  private func outputOfConcatenate() throws -> Shape {
    guard let first = inputs.first else { throw failure("it concatenates nothing") }
    var channels = 0
    for (name, shape) in zip(layer.inputs, inputs) {
      guard shape.height == first.height, shape.width == first.width else {
        throw failure("it concatenates \(layer.inputs[0]) (\(first)) and \(name) (\(shape)), whose sizes differ")
      }
      channels += shape.channels
      try require(channels, in: 1...Limits.channels, "number of channels")
    }
    return Shape(channels: channels, height: first.height, width: first.width)
  }

  private func outputOfFlatten() throws -> Shape {
    let input = try single()
    let features = try Checked(layer: layer.name).product(input.channels, input.height, input.width)
    try require(features, in: 1...Limits.channels, "number of features")
    return Shape(channels: features, height: 1, width: 1)
  }

  private func output(of linear: Linear) throws -> Shape {
    let input = try single()
    guard input.height == 1, input.width == 1 else {
      throw failure("a linear layer needs a pooled or flattened input, not \(input)")
    }
    try require(linear.outputFeatures, in: 1...Limits.channels, "number of output features")
    return Shape(channels: linear.outputFeatures, height: 1, width: 1)
  }

  private func passing(probability: Double) throws -> Shape {
    guard (0...1).contains(probability) else { throw failure("its probability is \(probability), not between 0 and 1") }
    return try single()
  }
}

extension ShapeInference {
  /// What slides over an image.
  private struct Window {
    var kernelSize: Extent
    var stride: Extent
    var padding: Extent
    var dilation: Extent = 1
    var roundsUp = false
  }

  private func slide(_ window: Window, over input: Shape, channels: Int) throws -> Shape {
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

  private func single() throws -> Shape {
    guard inputs.count == 1 else {
      throw failure("\(layer.operation.kind) has one input, but \(inputs.count) are given")
    }
    return inputs[0]
  }

  private func pair() throws -> (Shape, Shape) {
    guard inputs.count == 2 else {
      throw failure("\(layer.operation.kind) has two inputs, but \(inputs.count) are given")
    }
    return (inputs[0], inputs[1])
  }

  private func require(_ value: Int, in range: ClosedRange<Int>, _ what: String) throws {
    guard range.contains(value) else {
      throw failure("its \(what) is \(value), outside of \(range.lowerBound) to \(range.upperBound)")
    }
  }

  private func failure(_ reason: String) -> NetworkFailure { NetworkFailure(layer: layer.name, reason) }
}
