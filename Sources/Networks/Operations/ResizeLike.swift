/// A map brought to the size of a second one, of which nothing else is read: each place takes the nearest number, as PyTorch's
/// `interpolate` with the other's size.
public struct ResizeLike: OperationDefinition {
  /// Creates the operation.
  public init() {}
  /// `resizeLike`.
  public static let kinds = ["resizeLike"]
  /// `resizeLike`.
  public var kind: String { "resizeLike" }
  /// None.
  public static let settingNames: [String] = []
  /// There are no settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {}
  /// There are no settings.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// Two: the map and the one whose size it gets.
  public var arity: Arity { .two }
  /// The first's channels in the second's size.
  public func output(at site: OperationSite) throws -> Shape {
    Shape(channels: site.inputs[0].channels, height: site.inputs[1].height, width: site.inputs[1].width)
  }
  /// The first's; the second's may be any.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> ResizeLike { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
