/// A smaller map of more channels: every square of pixels becomes one place, with all channels of its first pixel in front, as the
/// format ONNX and TResNet have it.
public struct SpaceToDepth: OperationDefinition {
  /// The side of a square.
  public var blockSize: Int

  /// Creates the operation.
  public init(blockSize: Int) {
    self.blockSize = blockSize
  }

  private enum CodingKeys: String, CodingKey { case blockSize }

  /// `spaceToDepth`.
  public static let kinds = ["spaceToDepth"]
  /// `spaceToDepth`.
  public var kind: String { "spaceToDepth" }
  /// Its settings.
  public static let settingNames: [String] = ["blockSize"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(blockSize: try values.decode(Int.self, forKey: .blockSize))
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(blockSize, forKey: .blockSize)
  }
  /// One.
  public var arity: Arity { .one }
  /// A place for each square.
  public func output(at site: OperationSite) throws -> Shape {
    // A square's pixels become copies of the channels, and each is a segment to keep.
    try site.require(blockSize, in: 1...16, "side of a square")
    guard site.input.height.isMultiple(of: blockSize), site.input.width.isMultiple(of: blockSize) else {
      throw site.failure(
        "it makes squares of \(blockSize) pixels of a map of \(site.input), which does not come out even")
    }
    return Shape(
      channels: try Checked(layer: site.layer.name).product(site.input.channels, blockSize * blockSize),
      height: site.input.height / blockSize, width: site.input.width / blockSize)
  }
  /// The input's, once for each pixel of a square.
  public var channels: ChannelFlow { .repeats(max(1, min(16, blockSize)) * max(1, min(16, blockSize))) }
  /// Itself.
  public func with(outputChannels: Int) -> SpaceToDepth { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
