/// Channels in another order: they fall into equal parts, and one of each follows in turn, as in ShuffleNet and PyTorch's
/// `channel_shuffle`.
public struct ChannelShuffle: OperationDefinition {
  /// How many parts there are.
  public var groups: Int

  /// Creates the operation.
  public init(groups: Int) {
    self.groups = groups
  }

  private enum CodingKeys: String, CodingKey { case groups }

  /// `channelShuffle`.
  public static let kinds = ["channelShuffle"]
  /// `channelShuffle`.
  public var kind: String { "channelShuffle" }
  /// Its settings.
  public static let settingNames: [String] = ["groups"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      groups: try values.decode(Int.self, forKey: .groups))
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(groups, forKey: .groups)
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    try site.require(groups, in: 1...Limits.channels, "number of parts")
    guard site.input.channels.isMultiple(of: groups) else {
      throw site.failure("it shuffles \(site.input.channels) channels in \(groups) parts, which does not come out even")
    }
    return site.input
  }
  /// The input's, with all parts tied.
  public var channels: ChannelFlow { .shuffles(groups) }
  /// Itself.
  public func with(outputChannels: Int) -> ChannelShuffle {
    self
  }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
