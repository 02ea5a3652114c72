/// Every number times a factor that is not learnt, plus another: the share of a residual branch in Inception-ResNet.
public struct Rescaling: OperationDefinition {
  /// What numbers are multiplied by.
  public var factor: Double
  /// What is added then.
  public var shift: Double

  /// Creates the operation.
  public init(factor: Double = 1, shift: Double = 0) {
    self.factor = factor
    self.shift = shift
  }

  private enum CodingKeys: String, CodingKey { case factor, shift }

  /// `rescale`.
  public static let kinds = ["rescale"]
  /// `rescale`.
  public var kind: String { "rescale" }
  /// Its settings.
  public static let settingNames: [String] = ["factor", "shift"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      factor: try values.decodeIfPresent(Double.self, forKey: .factor) ?? 1,
      shift: try values.decodeIfPresent(Double.self, forKey: .shift) ?? 0)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if factor != 1 { try values.encode(factor, forKey: .factor) }
    if shift != 0 { try values.encode(shift, forKey: .shift) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard factor.isFinite, shift.isFinite else {
      throw site.failure("its factor \(factor) and shift \(shift) must be finite")
    }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> Rescaling {
    self
  }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
