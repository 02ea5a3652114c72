/// Channels, rows and columns as one vector, in this order.
public struct Flattening: OperationDefinition {
  /// Creates the operation.
  public init() {}
  /// `flatten`.
  public static let kinds = ["flatten"]
  /// `flatten`.
  public var kind: String { "flatten" }
  /// None.
  public static let settingNames: [String] = []
  /// There are no settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {}
  /// There are no settings.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// One.
  public var arity: Arity { .one }
  /// A vector.
  public func output(at site: OperationSite) throws -> Shape {
    let input = site.input
    let features = try Checked(layer: site.layer.name).product(input.channels, input.height, input.width)
    try site.require(features, in: 1...Limits.channels, "number of features")
    return Shape(channels: features, height: 1, width: 1)
  }
  /// Every channel becomes as many features as it has positions.
  public var channels: ChannelFlow { .spreads }
  /// Itself.
  public func with(outputChannels: Int) -> Flattening { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
