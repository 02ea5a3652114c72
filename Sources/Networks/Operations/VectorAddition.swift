/// A map and a number for each of its channels that another layer gives, 1×1 in space, added at every place: the context of global context
/// networks.
public struct VectorAddition: OperationDefinition {
  /// Creates the operation.
  public init() {}
  /// `addVector`.
  public static let kinds = ["addVector"]
  /// `addVector`.
  public var kind: String { "addVector" }
  /// None.
  public static let settingNames: [String] = []
  /// There are no settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {}
  /// There are no settings.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// Two.
  public var arity: Arity { .two }
  /// The map's shape.
  public func output(at site: OperationSite) throws -> Shape {
    let (map, vector) = (site.inputs[0], site.inputs[1])
    guard map.channels == vector.channels, vector.height == 1, vector.width == 1 else {
      throw site.failure("it adds \(vector) at every place of \(map); the map's channels and one place are wanted")
    }
    return map
  }
  /// Both inputs are tied.
  public var channels: ChannelFlow { .ties }
  /// Itself.
  public func with(outputChannels: Int) -> VectorAddition { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
