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

extension Dropout: OperationDefinition {
  /// `dropout`.
  public static let kinds = ["dropout"]
  /// `dropout`.
  public var kind: String { "dropout" }
  /// Its settings.
  public static let settingNames: [String] = ["probability"]
  /// Reads the probability.
  public init(kind: String, settingsFrom decoder: any Decoder) throws { try self.init(from: decoder) }
  /// Writes the probability.
  public func encodeSettings(to encoder: any Encoder) throws { try encode(to: encoder) }
  /// One.
  public var arity: Arity { .one }

  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    try site.require(probability: probability)
    return site.input
  }

  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> Dropout { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}

extension StochasticDepth: OperationDefinition {
  /// `stochasticDepth`.
  public static let kinds = ["stochasticDepth"]
  /// `stochasticDepth`.
  public var kind: String { "stochasticDepth" }
  /// Its settings.
  public static let settingNames: [String] = ["probability"]
  /// Reads the probability.
  public init(kind: String, settingsFrom decoder: any Decoder) throws { try self.init(from: decoder) }
  /// Writes the probability.
  public func encodeSettings(to encoder: any Encoder) throws { try encode(to: encoder) }
  /// One.
  public var arity: Arity { .one }

  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    try site.require(probability: probability)
    return site.input
  }

  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> StochasticDepth { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
