/// The sum of two inputs of equal shape: a residual connection.
public struct Addition: OperationDefinition {
  /// Creates the operation.
  public init() {}
  /// `add`.
  public static let kinds = ["add"]
  /// `add`.
  public var kind: String { "add" }
  /// None.
  public static let settingNames: [String] = []
  /// There are no settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {}
  /// There are no settings.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// Two.
  public var arity: Arity { .two }
  /// The inputs' shape.
  public func output(at site: OperationSite) throws -> Shape {
    let (first, second) = (site.inputs[0], site.inputs[1])
    guard first == second else {
      throw site.failure(
        "it adds \(site.layer.inputs[0]) (\(first)) and \(site.layer.inputs[1]) (\(second)), whose shapes differ")
    }
    return first
  }
  /// Both inputs are tied.
  public var channels: ChannelFlow { .ties }
  /// Itself.
  public func with(outputChannels: Int) -> Addition { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
