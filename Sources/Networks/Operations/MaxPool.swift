/// The largest value of each window.
public struct MaxPool: OperationDefinition {
  /// The window.
  public var pool: Pool

  /// Creates the operation.
  public init(_ pool: Pool) { self.pool = pool }

  /// `maxPool`.
  public static let kinds = ["maxPool"]
  /// `maxPool`.
  public var kind: String { "maxPool" }
  /// Its settings.
  public static let settingNames: [String] = ["kernelSize", "stride", "padding", "roundsUp", "countsPadding"]
  /// Reads the window.
  public init(kind: String, settingsFrom decoder: any Decoder) throws { self.init(try Pool(from: decoder)) }
  /// Writes what differs from the defaults.
  public func encodeSettings(to encoder: any Encoder) throws { try pool.encode(to: encoder) }
  /// One.
  public var arity: Arity { .one }
  /// The window's positions.
  public func output(at site: OperationSite) throws -> Shape { try pool.output(at: site) }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> MaxPool { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
