/// A convolution along the channels of a vector: the gate of efficient channel attention (Wang et al., 2020). However many channels there
/// are, it has as many weights.
public struct ChannelConvolution: OperationDefinition {
  /// The length of the window, odd.
  public var kernelSize: Int

  /// Creates the operation.
  public init(kernelSize: Int) {
    self.kernelSize = kernelSize
  }

  private enum CodingKeys: String, CodingKey { case kernelSize }

  /// `channelConvolution`.
  public static let kinds = ["channelConvolution"]
  /// `channelConvolution`.
  public var kind: String { "channelConvolution" }
  /// Its settings.
  public static let settingNames: [String] = ["kernelSize"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      kernelSize: try values.decode(Int.self, forKey: .kernelSize))
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kernelSize, forKey: .kernelSize)
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard site.input.height == 1, site.input.width == 1 else {
      throw site.failure("it runs along the channels of one place, not of \(site.input)")
    }
    guard kernelSize > 0, kernelSize % 2 == 1, kernelSize <= Limits.side else {
      throw site.failure("its window is \(kernelSize), and an odd number is wanted")
    }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> ChannelConvolution {
    self
  }
  /// `weight` [1, 1, window].
  public var parameters: [ParameterForm] {
    [ParameterForm("weight", .weight, [.fixed(1), .fixed(1), .fixed(kernelSize)])]
  }
  /// The window for each channel.
  public var multiplyAccumulates: MultiplyAccumulates { .depthwise(window: Extent(height: 1, width: kernelSize)) }
}
