/// The sum of two or more inputs of equal shape: a residual connection.
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
  /// Two or more.
  public var arity: Arity { .several }
  /// The inputs' shape.
  public func output(at site: OperationSite) throws -> Shape {
    let first = site.input
    guard site.inputs.count >= 2 else { throw site.failure("add has two inputs or more, but 1 is given") }
    for (name, shape) in zip(site.layer.inputs, site.inputs).dropFirst() where shape != first {
      throw site.failure("it adds \(site.layer.inputs[0]) (\(first)) and \(name) (\(shape)), whose shapes differ")
    }
    return first
  }
  /// All inputs are tied.
  public var channels: ChannelFlow { .ties }
  /// Itself.
  public func with(outputChannels: Int) -> Addition { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
