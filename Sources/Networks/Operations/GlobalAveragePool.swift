/// The mean of each channel, 1×1 in space, at any resolution.
public struct GlobalAveragePool: OperationDefinition {
  /// Creates the operation.
  public init() {}
  /// `globalAveragePool`.
  public static let kinds = ["globalAveragePool"]
  /// `globalAveragePool`.
  public var kind: String { "globalAveragePool" }
  /// None.
  public static let settingNames: [String] = []
  /// There are no settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {}
  /// There are no settings.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// One.
  public var arity: Arity { .one }
  /// One pixel.
  public func output(at site: OperationSite) throws -> Shape {
    Shape(channels: site.input.channels, height: 1, width: 1)
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> GlobalAveragePool { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
