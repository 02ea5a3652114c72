/// The mean of a map over its places, each weighed by the softmax of a score that a second map has for it: the context of global context
/// networks (Cao et al. 2019).
public struct AttentionPool: OperationDefinition {
  /// Creates the operation.
  public init() {}
  /// `attentionPool`.
  public static let kinds = ["attentionPool"]
  /// `attentionPool`.
  public var kind: String { "attentionPool" }
  /// None.
  public static let settingNames: [String] = []
  /// There are no settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {}
  /// There are no settings.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// Two: the map and the scores.
  public var arity: Arity { .two }
  /// The map's channels, 1×1 in space.
  public func output(at site: OperationSite) throws -> Shape {
    let (map, scores) = (site.inputs[0], site.inputs[1])
    guard scores.channels == 1, scores.height == map.height, scores.width == map.width else {
      throw site.failure("it weighs the places of a map of \(map) by scores of \(scores); one for each place is wanted")
    }
    return Shape(channels: map.channels, height: 1, width: 1)
  }
  /// The map's; there is one channel of scores.
  public var channels: ChannelFlow { .passesFirst }
  /// Itself.
  public func with(outputChannels: Int) -> AttentionPool { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None that count, as for any pool.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
