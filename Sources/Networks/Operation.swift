/// What a layer computes.
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
}

extension Operation {
  /// The name of the operation in files and tables; an activation goes by its own name.
  public var kind: String {
    switch self {
    case .convolution: "convolution"
    case .batchNorm: "batchNorm"
    case .activation(let function): function.rawValue
    case .add: "add"
    case .multiply: "multiply"
    case .concatenate: "concatenate"
    case .maxPool: "maxPool"
    case .averagePool: "averagePool"
    case .adaptiveAveragePool: "adaptiveAveragePool"
    case .globalAveragePool: "globalAveragePool"
    case .flatten: "flatten"
    case .linear: "linear"
    case .dropout: "dropout"
    case .stochasticDepth: "stochasticDepth"
    }
  }

  /// Whether the layer has learnable parameters under its name.
  public var hasParameters: Bool {
    switch self {
    case .convolution, .batchNorm, .linear: true
    default: false
    }
  }
}
