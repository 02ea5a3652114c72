/// A larger map: each place becomes several, as PyTorch's `Upsample` with a whole factor.
public struct Upsample: OperationDefinition {
  /// How many rows and columns become of one.
  public var factor: Extent
  /// Whether numbers between places are interpolated; else each is repeated.
  public var isBilinear: Bool

  /// Creates the operation.
  public init(factor: Extent, isBilinear: Bool = false) {
    self.factor = factor
    self.isBilinear = isBilinear
  }

  private enum CodingKeys: String, CodingKey { case factor, isBilinear }

  /// `upsample`.
  public static let kinds = ["upsample"]
  /// `upsample`.
  public var kind: String { "upsample" }
  /// Its settings.
  public static let settingNames: [String] = ["factor", "isBilinear"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      factor: try values.decode(Extent.self, forKey: .factor),
      isBilinear: try values.decodeIfPresent(Bool.self, forKey: .isBilinear) ?? false)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(factor, forKey: .factor)
    if isBilinear != false { try values.encode(isBilinear, forKey: .isBilinear) }
  }
  /// One.
  public var arity: Arity { .one }
  /// A larger map.
  public func output(at site: OperationSite) throws -> Shape {
    try site.require(factor.height, in: 1...Limits.side, "factor of rows")
    try site.require(factor.width, in: 1...Limits.side, "factor of columns")
    return Shape(
      channels: site.input.channels,
      height: try Checked(layer: site.layer.name).product(site.input.height, factor.height),
      width: try Checked(layer: site.layer.name).product(site.input.width, factor.width))
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> Upsample {
    self
  }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
