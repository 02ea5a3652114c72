import Networks
import Torch

// The operations of this package that need no place of their own in a plan. Whatever works on the channels of each place does so with
// channels last, which is how maps lie in memory: turning them costs nothing.

extension ChannelPart: TensorOperation {
  /// A view: what it was cut from must stay.
  public var derivativeReadsResult: Bool { true }
  /// Cuts the channels out.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    // Not a view: kernels want channels side by side, and what follows may write in place.
    try inputs[0].slice(1, start..<end).contiguous(inputs[0].rank == 4 ? .channelsLast : .contiguous)
  }
}

extension ChannelShuffle: TensorOperation {
  /// It can be the input itself, or a view of it: what follows may not write into it.
  public var derivativeReadsResult: Bool { true }
  /// Interleaves the parts.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let last = try inputs[0].asMap.permuted([0, 2, 3, 1])
    let shape = last.shape
    let parts = try last.reshaped([shape[0], shape[1], shape[2], groups, shape[3] / groups])
    return try parts.permuted([0, 1, 2, 4, 3]).reshaped(shape).permuted([0, 3, 1, 2])
  }
}

extension LayerNorm: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Normalizes each place.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0].asMap.permuted([0, 2, 3, 1]).layerNorm(parameters[0], hasBias ? parameters[1] : nil, epsilon: epsilon)
      .permuted([0, 3, 1, 2])
  }
}

extension GroupNorm: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Normalizes each group of each image.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0].groupNorm(groups, parameters[0], hasBias ? parameters[1] : nil, epsilon: epsilon)
  }
}

extension ChannelScale: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Multiplies.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0].asMap * (rank == 1 ? parameters[0].unsqueezed(1).unsqueezed(2) : parameters[0])
  }
}

extension LearnedNumber: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Multiplies or adds.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    isShift ? try inputs[0] + parameters[0] : try inputs[0] * parameters[0]
  }
}

extension GlobalResponseNorm: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Weighs each channel by its norm beside the mean of all norms.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let map = try inputs[0].asMap
    let norms = try map.norm([2, 3], keepingDimensions: true)
    let share = try norms / (norms.mean([1], keepingDimensions: true) + epsilon)
    let (weight, bias) = (
      try parameters[0].unsqueezed(1).unsqueezed(2), try parameters[1].unsqueezed(1).unsqueezed(2)
    )
    return try map * (share * weight + 1) + bias
  }
}

extension PointwiseLinear: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Multiplies the channels of each place.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0].asMap.permuted([0, 2, 3, 1]).linear(parameters[0], bias: hasBias ? parameters[1] : nil)
      .permuted([0, 3, 1, 2])
  }
}

extension Padding: TensorOperation {
  /// Nothing reads it.
  public var derivativeReadsResult: Bool { false }
  /// Adds the rows and columns.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let (map, sides) = (try inputs[0].asMap, [left, right, top, bottom])
    return isReflected ? try map.reflected(sides) : try map.padded(sides)
  }
}

extension Rescaling: TensorOperation {
  /// It can be the input itself, or a view of it: what follows may not write into it.
  public var derivativeReadsResult: Bool { true }
  /// Multiplies and adds.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let scaled = factor == 1 ? inputs[0] : try inputs[0] * factor
    return shift == 0 ? scaled : try scaled + shift
  }
}

extension Upsample: TensorOperation {
  /// Nothing reads it.
  public var derivativeReadsResult: Bool { false }
  /// Makes a larger map.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let map = try inputs[0].asMap
    return try map.upsampled(
      Size2D(map.shape[2] * factor.height, map.shape[3] * factor.width), bilinear: isBilinear)
  }
}

extension ChannelConvolution: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Convolves the channels as if they were a row.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let shape = inputs[0].shape
    let row = try inputs[0].contiguous().reshaped([shape[0], 1, 1, shape[1]])
    let result = try row.conv2d(
      parameters[0].unsqueezed(2), stride: Size2D(1, 1), padding: Size2D(0, kernelSize / 2))
    return try result.reshaped(shape)
  }
}

extension FixedFilter: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Convolves each channel.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let map = try inputs[0].asMap
    let channels = map.shape[1]
    // The numbers of one filter cross to the device, and are repeated there.
    let filter = try Tensor(
      coefficients.joined().map(Float.init), shape: [1, 1, kernelSize.height, kernelSize.width], device: map.device)
    let filters = try (Tensor.ones([channels, 1, 1, 1], device: map.device) * filter).to(map.scalarType)
    return try map.conv2d(filters, stride: Size2D(stride.height, stride.width), groups: channels)
  }
}

extension SpaceToDepth: TensorOperation {
  /// It can be the input itself, or a view of it: what follows may not write into it.
  public var derivativeReadsResult: Bool { true }
  /// Regroups pixels.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let last = try inputs[0].asMap.permuted([0, 2, 3, 1])
    let (side, shape) = (blockSize, last.shape)
    let (height, width) = (shape[1] / side, shape[2] / side)
    return try last.reshaped([shape[0], height, side, width, side, shape[3]]).permuted([0, 1, 3, 2, 4, 5])
      .reshaped([shape[0], height, width, side * side * shape[3]]).permuted([0, 3, 1, 2])
  }
}

extension AttentionPool: TensorOperation {
  /// The inputs are what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Weighs the places.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let (map, scores) = (inputs[0], inputs[1])
    let shape = map.shape
    let places = try map.asMap.permuted([0, 2, 3, 1]).reshaped([shape[0], shape[2] * shape[3], shape[1]])
    let shares = try scores.reshaped([shape[0], 1, shape[2] * shape[3]]).softmax(-1)
    return try shares.matmul(places).reshaped([shape[0], shape[1], 1, 1])
  }
}

extension ResizeLike: TensorOperation {
  /// Nothing reads it.
  public var derivativeReadsResult: Bool { false }
  /// Takes the nearest numbers.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let shape = inputs[1].shape
    return try inputs[0].asMap.upsampled(Size2D(shape[2], shape[3]), bilinear: false)
  }
}

extension SoftmaxShare: TensorOperation {
  /// Softmax reads its own result, of which this is a view.
  public var derivativeReadsResult: Bool { true }
  /// Shares.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let shares = try Tensor.stack(inputs, 0).softmax(0)
    return try shares.slice(0, branch..<branch + 1).reshaped(inputs[0].shape)
  }
}

extension VectorAddition: TensorOperation {
  /// Nothing reads it.
  public var derivativeReadsResult: Bool { false }
  /// Adds.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0].asMap + inputs[1].asMap
  }
}

extension NegativeSlope: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Computes the function.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0].leakyRelu(slope: slope)
  }
}

extension ElementFunction: TensorOperation {
  /// What most of them read.
  public var derivativeReadsResult: Bool { true }
  /// Computes the function.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let input = inputs[0]
    return switch self {
    case .tanh: try input.tanh()
    case .selu: try input.selu()
    case .softplus: try input.softplus()
    case .softsign: try input.softsign()
    case .geluTanh: try input.geluTanh()
    }
  }
}

extension ExponentialUnit: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Computes the function.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    isContinuous ? try inputs[0].celu(alpha: alpha) : try inputs[0].elu(alpha: alpha)
  }
}

extension Clamp: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Computes the function.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0].clamped(least, most)
  }
}

extension LearnedSlope: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Computes the function.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0].prelu(parameters[0])
  }
}

extension StandardizedConvolution: TensorOperation {
  /// The input is what it reads.
  public var derivativeReadsResult: Bool { false }
  /// Standardizes the filters and convolves.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let map = try inputs[0].asMap
    var filters = try parameters[0].standardized(epsilon: epsilon)
    if initialGain != nil { filters = try filters * parameters[parameters.count - 1] }
    if let gamma {
      let numbers = filters.shape.dropFirst().reduce(1, *)
      filters = try filters * (gamma / Double(numbers).squareRoot())
    }
    let execution = ConvolutionExecution(convolution, inputChannels: map.shape[1])
    return try execution(map, weight: filters, bias: convolution.hasBias ? parameters[1] : nil)
  }
}

extension Tensor {
  /// Every filter with mean 0 and, but for epsilon, variance 1.
  fileprivate func standardized(epsilon: Double) throws -> Tensor {
    let centred = try self - mean([1, 2, 3], keepingDimensions: true)
    let variance = try (centred * centred).mean([1, 2, 3], keepingDimensions: true)
    return try centred / (variance + epsilon).sqrt()
  }
}
