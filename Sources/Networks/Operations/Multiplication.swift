/// The product of two inputs; the second may be 1×1 in space: squeeze-excite.
public struct Multiplication: OperationDefinition {
  /// Creates the operation.
  public init() {}
  /// `multiply`.
  public static let kinds = ["multiply"]
  /// `multiply`.
  public var kind: String { "multiply" }
  /// None.
  public static let settingNames: [String] = []
  /// There are no settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {}
  /// There are no settings.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// Two.
  public var arity: Arity { .two }
  /// The first input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    let (first, second) = (site.inputs[0], site.inputs[1])
    let gates = second.height == 1 && second.width == 1
    guard first.channels == second.channels, gates || first == second else {
      throw site.failure(
        "it multiplies \(site.layer.inputs[0]) (\(first)) by \(site.layer.inputs[1]) (\(second)); the second must have the "
          + "first's channels, and its size or 1×1")
    }
    return first
  }
  /// Both inputs are tied.
  public var channels: ChannelFlow { .ties }
  /// Itself.
  public func with(outputChannels: Int) -> Multiplication { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
