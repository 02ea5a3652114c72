/// The inputs' channels one after the other.
public struct Concatenation: OperationDefinition {
  /// Creates the operation.
  public init() {}
  /// `concatenate`.
  public static let kinds = ["concatenate"]
  /// `concatenate`.
  public var kind: String { "concatenate" }
  /// None.
  public static let settingNames: [String] = []
  /// There are no settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {}
  /// There are no settings.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// One or more.
  public var arity: Arity { .several }
  /// The inputs' size, with the sum of their channels.
  public func output(at site: OperationSite) throws -> Shape {
    let first = site.input
    var channels = 0
    for (name, shape) in zip(site.layer.inputs, site.inputs) {
      guard shape.height == first.height, shape.width == first.width else {
        throw site.failure(
          "it concatenates \(site.layer.inputs[0]) (\(first)) and \(name) (\(shape)), whose sizes differ")
      }
      channels += shape.channels
      try site.require(channels, in: 1...Limits.channels, "number of channels")
    }
    return Shape(channels: channels, height: first.height, width: first.width)
  }
  /// The inputs' channels are joined.
  public var channels: ChannelFlow { .joins }
  /// Itself.
  public func with(outputChannels: Int) -> Concatenation { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
