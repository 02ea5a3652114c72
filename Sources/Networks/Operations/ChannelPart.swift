/// Some neighbouring channels: one part of what ONNX calls Split, or of PyTorch's `chunk`.
///
/// Where a border lies between the channels of two width groups it moves with them; inside of one it keeps its share, and the group's
/// width stays a multiple of what that asks for.
public struct ChannelPart: OperationDefinition {
  /// The first channel.
  public var start: Int
  /// The channel behind the last.
  public var end: Int

  /// Creates the operation.
  public init(start: Int, end: Int) {
    self.start = start
    self.end = end
  }

  private enum CodingKeys: String, CodingKey { case start, end }

  /// `channelPart`.
  public static let kinds = ["channelPart"]
  /// `channelPart`.
  public var kind: String { "channelPart" }
  /// Its settings.
  public static let settingNames: [String] = ["start", "end"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      start: try values.decode(Int.self, forKey: .start),
      end: try values.decode(Int.self, forKey: .end))
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(start, forKey: .start)
    try values.encode(end, forKey: .end)
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's size, with as many channels.
  public func output(at site: OperationSite) throws -> Shape {
    guard 0 <= start, start < end, end <= site.input.channels else {
      throw site.failure("it takes the channels \(start)..<\(end) of \(site.input.channels)")
    }
    return Shape(channels: end - start, height: site.input.height, width: site.input.width)
  }
  /// Some of the input's.
  public var channels: ChannelFlow { .slices(start..<max(start, end)) }
  /// Itself.
  public func with(outputChannels: Int) -> ChannelPart {
    self
  }
  /// With other channels.
  public func with(slice: Range<Int>) -> ChannelPart { ChannelPart(start: slice.lowerBound, end: slice.upperBound) }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
