/// A matrix product over the channels of each place: PyTorch's `Linear` on maps with channels last. A 1×1 convolution by another name,
/// and with weights of another shape.
public struct PointwiseLinear: OperationDefinition {
  /// Number of outputs.
  public var outputFeatures: Int
  /// Whether a learnable number is added to each output.
  public var hasBias: Bool

  /// Creates the operation.
  public init(outputFeatures: Int, hasBias: Bool = true) {
    self.outputFeatures = outputFeatures
    self.hasBias = hasBias
  }

  private enum CodingKeys: String, CodingKey { case outputFeatures, hasBias }

  /// `pointwiseLinear`.
  public static let kinds = ["pointwiseLinear"]
  /// `pointwiseLinear`.
  public var kind: String { "pointwiseLinear" }
  /// Its settings.
  public static let settingNames: [String] = ["outputFeatures", "hasBias"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      outputFeatures: try values.decode(Int.self, forKey: .outputFeatures),
      hasBias: try values.decodeIfPresent(Bool.self, forKey: .hasBias) ?? true)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(outputFeatures, forKey: .outputFeatures)
    if hasBias != true { try values.encode(hasBias, forKey: .hasBias) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's size, with the outputs as channels.
  public func output(at site: OperationSite) throws -> Shape {
    try site.require(outputFeatures, in: 1...Limits.channels, "number of output features")
    return Shape(channels: outputFeatures, height: site.input.height, width: site.input.width)
  }
  /// Channels of its own.
  public var channels: ChannelFlow { .produces() }
  /// The layer with another number of outputs.
  public func with(outputChannels: Int) -> PointwiseLinear {
    var changed = self
    changed.outputFeatures = outputChannels
    return changed
  }
  /// `weight` [outputs, inputs] and `bias`.
  public var parameters: [ParameterForm] { Linear(outputFeatures: outputFeatures, hasBias: hasBias).parameters }
  /// One for each pair of an output and an input.
  public var multiplyAccumulates: MultiplyAccumulates { .dense(window: 1) }
}
