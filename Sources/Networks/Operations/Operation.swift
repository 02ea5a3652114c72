/// What a layer computes.
///
/// A closed list, so that code which treats some operations in its own way is checked for the others by the compiler. What all of
/// them have in common is asked of their ``definition``.
public enum Operation: Hashable, Sendable {
  /// A two-dimensional convolution.
  case convolution(Convolution)
  /// Normalization per channel, with a learnable scale and shift.
  case batchNorm(BatchNorm)
  /// An elementwise non-linearity.
  case activation(Activation)
  /// The sum of two inputs of equal shape (a residual connection).
  case add
  /// The product of two inputs; the second may be 1×1 in space (squeeze-excite).
  case multiply
  /// The inputs' channels one after the other.
  case concatenate
  /// The largest value of each window.
  case maxPool(Pool)
  /// The mean of each window.
  case averagePool(Pool)
  /// The mean over a grid of windows with a fixed output size.
  case adaptiveAveragePool(AdaptivePool)
  /// The mean of each channel, 1×1 in space, at any resolution.
  case globalAveragePool
  /// Channels, rows and columns as one vector, in this order.
  case flatten
  /// A matrix product with an optional bias.
  case linear(Linear)
  /// Zeroes single values at random while training.
  case dropout(Dropout)
  /// Zeroes whole images of a residual branch at random while training.
  case stochasticDepth(StochasticDepth)
  /// Any other: one of this package that needs no place of its own here (``ChannelPart``, ``ChannelShuffle``, ``LayerNorm``,
  /// ``GroupNorm``, ``ChannelScale``, ``PointwiseLinear``, ``Padding``, ``Rescaling``, ``Upsample``, ``ChannelConvolution``, ``GlobalResponseNorm``,
  /// ``LearnedNumber``, ``FixedFilter``, ``SpaceToDepth``, ``AttentionPool``, ``ResizeLike``, ``SoftmaxShare``, ``VectorAddition``,
  /// ``NegativeSlope``, ``StandardizedConvolution``, ``ElementFunction``, ``ExponentialUnit``,
  /// ``Clamp``, ``LearnedSlope``, ``TensorProgram``), or one that is defined elsewhere.
  case other(OtherOperation)

  /// An operation that is defined elsewhere.
  public static func other(_ definition: some OperationDefinition) -> Operation { .other(OtherOperation(definition)) }
}

extension Operation {
  /// Everything that is known of the operation.
  public var definition: any OperationDefinition {
    switch self {
    case .convolution(let convolution): convolution
    case .batchNorm(let norm): norm
    case .activation(let function): function
    case .add: Addition()
    case .multiply: Multiplication()
    case .concatenate: Concatenation()
    case .maxPool(let pool): MaxPool(pool)
    case .averagePool(let pool): AveragePool(pool)
    case .adaptiveAveragePool(let pool): pool
    case .globalAveragePool: GlobalAveragePool()
    case .flatten: Flattening()
    case .linear(let linear): linear
    case .dropout(let dropout): dropout
    case .stochasticDepth(let depth): depth
    case .other(let other): other.definition
    }
  }

  /// The operation that a definition of this package stands for; any other stands for itself.
  init(_ definition: any OperationDefinition) {
    self =
      switch definition {
      case let convolution as Convolution: .convolution(convolution)
      case let norm as BatchNorm: .batchNorm(norm)
      case let function as Activation: .activation(function)
      case is Addition: .add
      case is Multiplication: .multiply
      case is Concatenation: .concatenate
      case let pool as MaxPool: .maxPool(pool.pool)
      case let pool as AveragePool: .averagePool(pool.pool)
      case let pool as AdaptivePool: .adaptiveAveragePool(pool)
      case is GlobalAveragePool: .globalAveragePool
      case is Flattening: .flatten
      case let linear as Linear: .linear(linear)
      case let dropout as Dropout: .dropout(dropout)
      case let depth as StochasticDepth: .stochasticDepth(depth)
      case let other: .other(OtherOperation(other))
      }
  }

  /// The definitions of this package, by which files are read.
  package static let definitions: [any OperationDefinition.Type] = [
    Convolution.self, BatchNorm.self, Activation.self, Addition.self, Multiplication.self, Concatenation.self,
    MaxPool.self, AveragePool.self, AdaptivePool.self, GlobalAveragePool.self, Flattening.self, Linear.self,
    Dropout.self, StochasticDepth.self, ChannelPart.self, ChannelShuffle.self, LayerNorm.self, GroupNorm.self,
    ChannelScale.self, PointwiseLinear.self, Padding.self, Rescaling.self, Upsample.self, ChannelConvolution.self,
    GlobalResponseNorm.self, LearnedNumber.self, FixedFilter.self, SpaceToDepth.self,
    AttentionPool.self, ResizeLike.self, SoftmaxShare.self, VectorAddition.self, NegativeSlope.self,
    StandardizedConvolution.self, ElementFunction.self, ExponentialUnit.self, Clamp.self, LearnedSlope.self,
    TensorProgram.self,
  ]

  /// The name of the operation in files and tables; an activation goes by its own name.
  public var kind: String { definition.kind }

  /// Whether the layer has learnable parameters under its name.
  public var hasParameters: Bool { !definition.parameters.isEmpty }
}

extension Operation {
  /// Whether it is a non-linear function of each number.
  package var isActivation: Bool {
    switch self {
    case .activation: true
    case .other(let other): other.isActivation
    default: false
    }
  }

  /// Whether it computes with each number alone, wherever that stands.
  package var isElementwise: Bool {
    switch self {
    case .activation, .dropout: true
    case .other(let other): other.isElementwise
    default: false
    }
  }
}

extension OtherOperation {
  var isActivation: Bool {
    definition is ElementFunction || definition is ExponentialUnit || definition is Clamp || definition is LearnedSlope
      || definition is NegativeSlope
  }

  var isElementwise: Bool { isActivation || definition is Rescaling || definition is LearnedNumber }
}

/// An operation that is defined elsewhere, as a value.
public struct OtherOperation: Hashable, Sendable {
  /// What is known of it.
  public let definition: any OperationDefinition

  /// Wraps a definition.
  public init(_ definition: any OperationDefinition) { self.definition = definition }

  /// Whether two are of one type and equal.
  public static func == (a: OtherOperation, b: OtherOperation) -> Bool {
    AnyHashable(a.definition) == AnyHashable(b.definition)
  }

  /// Feeds the definition to a hasher.
  public func hash(into hasher: inout Hasher) { AnyHashable(definition).hash(into: &hasher) }
}
