/// `x` where it is positive, and a share of it elsewhere: PyTorch's `LeakyReLU` with any slope.
public struct NegativeSlope: OperationDefinition {
  /// The share.
  public var slope: Double

  /// Creates the operation.
  public init(slope: Double) {
    self.slope = slope
  }

  private enum CodingKeys: String, CodingKey { case slope }

  /// `negativeSlope`.
  public static let kinds = ["negativeSlope"]
  /// `negativeSlope`.
  public var kind: String { "negativeSlope" }
  /// Its settings.
  public static let settingNames: [String] = ["slope"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(slope: try values.decode(Double.self, forKey: .slope))
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(slope, forKey: .slope)
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard slope.isFinite else { throw site.failure("its slope is no number") }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> NegativeSlope { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
