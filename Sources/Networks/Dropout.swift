/// Zeroes single values while training and scales the others up.
public struct Dropout: Codable, Hashable, Sendable {
  /// Probability that a value is zeroed.
  public var probability: Double

  /// Creates a dropout.
  public init(probability: Double) { self.probability = probability }
}

/// Zeroes a residual branch for whole images while training and scales the others up: torchvision's `StochasticDepth` in
/// its "row" mode.
public struct StochasticDepth: Codable, Hashable, Sendable {
  /// Probability that an image's branch is zeroed.
  public var probability: Double

  /// Creates a stochastic depth.
  public init(probability: Double) { self.probability = probability }
}
