/// Normalization over the channels of each place, as PyTorch's `LayerNorm` with channels last and ConvNeXt's `LayerNorm2d`.
public struct LayerNorm: OperationDefinition {
  /// Added to the variance.
  public var epsilon: Double
  /// Whether it has a shift beside its scale.
  public var hasBias: Bool

  /// Creates the operation.
  public init(epsilon: Double = 1e-5, hasBias: Bool = true) {
    self.epsilon = epsilon
    self.hasBias = hasBias
  }

  private enum CodingKeys: String, CodingKey { case epsilon, hasBias }

  /// `layerNorm`.
  public static let kinds = ["layerNorm"]
  /// `layerNorm`.
  public var kind: String { "layerNorm" }
  /// Its settings.
  public static let settingNames: [String] = ["epsilon", "hasBias"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      epsilon: try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-5,
      hasBias: try values.decodeIfPresent(Bool.self, forKey: .hasBias) ?? true)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if epsilon != 1e-5 { try values.encode(epsilon, forKey: .epsilon) }
    if !hasBias { try values.encode(hasBias, forKey: .hasBias) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard epsilon.isFinite, epsilon >= 0 else {
      throw site.failure("its epsilon \(epsilon) must be finite and not negative")
    }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> LayerNorm {
    self
  }
  /// `weight` and, unless it has none, `bias`, one number a channel.
  public var parameters: [ParameterForm] {
    [ParameterForm("weight", .normScale, [.output])] + (hasBias ? [ParameterForm("bias", .normShift, [.output])] : [])
  }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
