/// `x` where it is positive, and a learnt share of it elsewhere, for each channel or for all: PyTorch's `PReLU`.
public struct LearnedSlope: OperationDefinition {
  /// What the shares start from.
  public var initialValue: Double
  /// Whether one share serves all channels.
  public var isShared: Bool

  /// Creates the operation.
  public init(initialValue: Double = 0.25, isShared: Bool = false) {
    self.initialValue = initialValue
    self.isShared = isShared
  }

  private enum CodingKeys: String, CodingKey { case initialValue, isShared }

  /// `learnedSlope`.
  public static let kinds = ["learnedSlope"]
  /// `learnedSlope`.
  public var kind: String { "learnedSlope" }
  /// Its settings.
  public static let settingNames: [String] = ["initialValue", "isShared"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      initialValue: try values.decodeIfPresent(Double.self, forKey: .initialValue) ?? 0.25,
      isShared: try values.decodeIfPresent(Bool.self, forKey: .isShared) ?? false)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if initialValue != 0.25 { try values.encode(initialValue, forKey: .initialValue) }
    if isShared { try values.encode(isShared, forKey: .isShared) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard initialValue.isFinite else { throw site.failure("its initial value \(initialValue) must be finite") }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> LearnedSlope { self }
  /// One tensor of a share for each channel, or of one.
  public var parameters: [ParameterForm] {
    [ParameterForm("weight", .factor(initially: initialValue), isShared ? [.fixed(1)] : [.output])]
  }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
