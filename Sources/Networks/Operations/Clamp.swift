/// Numbers below the least and above the most become these: PyTorch's `Hardtanh` and `clamp`.
public struct Clamp: OperationDefinition {
  /// The least number.
  public var least: Double
  /// The largest number.
  public var most: Double

  /// Creates the operation.
  public init(least: Double, most: Double) {
    self.least = least
    self.most = most
  }

  private enum CodingKeys: String, CodingKey { case least, most }

  /// `clamp`.
  public static let kinds = ["clamp"]
  /// `clamp`.
  public var kind: String { "clamp" }
  /// Its settings.
  public static let settingNames: [String] = ["least", "most"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      least: try values.decode(Double.self, forKey: .least), most: try values.decode(Double.self, forKey: .most))
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(least, forKey: .least)
    try values.encode(most, forKey: .most)
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard least <= most, least.isFinite, most.isFinite else {
      throw site.failure("it keeps numbers from \(least) to \(most), between which there is none")
    }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> Clamp { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
