/// A learnable factor on each channel, as ConvNeXt's layer scale.
public struct ChannelScale: OperationDefinition {
  /// What all factors start from.
  public var initialValue: Double
  /// The dimensions of the tensor in files: 3 for `[channels, 1, 1]`, 1 for `[channels]`.
  public var rank: Int

  /// Creates the operation.
  public init(initialValue: Double = 1, rank: Int = 3) {
    self.initialValue = initialValue
    self.rank = rank
  }

  private enum CodingKeys: String, CodingKey { case initialValue, rank }

  /// `channelScale`.
  public static let kinds = ["channelScale"]
  /// `channelScale`.
  public var kind: String { "channelScale" }
  /// Its settings.
  public static let settingNames: [String] = ["initialValue", "rank"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      initialValue: try values.decodeIfPresent(Double.self, forKey: .initialValue) ?? 1,
      rank: try values.decodeIfPresent(Int.self, forKey: .rank) ?? 3)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if initialValue != 1 { try values.encode(initialValue, forKey: .initialValue) }
    if rank != 3 { try values.encode(rank, forKey: .rank) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard initialValue.isFinite else { throw site.failure("its initial value \(initialValue) must be finite") }
    guard rank == 1 || rank == 3 else { throw site.failure("its rank is \(rank), and 1 or 3 is wanted") }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> ChannelScale {
    self
  }
  /// One tensor, under the name of the layer itself.
  public var parameters: [ParameterForm] {
    // The tensor has the layer's own name: PyTorch registers it as a parameter and not as a module.
    [ParameterForm("", .factor(initially: initialValue), rank == 1 ? [.output] : [.output, .fixed(1), .fixed(1)])]
  }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
