/// How strong a channel is in an image, beside the mean of all channels: x + bias + weight · x · n / (mean of n + ε), where n is the Euclidean
/// norm of the channel over all places.
///
/// Global response normalization of Woo et al., "ConvNeXt V2" (2023), equations 1 to 3 and algorithm 1.
public struct GlobalResponseNorm: OperationDefinition {
  /// Added to the mean of the norms.
  public var epsilon: Double

  /// Creates the operation.
  public init(epsilon: Double = 1e-6) {
    self.epsilon = epsilon
  }

  private enum CodingKeys: String, CodingKey { case epsilon }

  /// `globalResponseNorm`.
  public static let kinds = ["globalResponseNorm"]
  /// `globalResponseNorm`.
  public var kind: String { "globalResponseNorm" }
  /// Its settings.
  public static let settingNames: [String] = ["epsilon"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(epsilon: try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-6)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if epsilon != 1e-6 { try values.encode(epsilon, forKey: .epsilon) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard epsilon.isFinite, epsilon > 0 else {
      throw site.failure("its epsilon \(epsilon) must be finite and greater than 0")
    }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> GlobalResponseNorm {
    self
  }
  /// `weight` and `bias`, one number a channel, both 0 at first: then the layer does nothing.
  public var parameters: [ParameterForm] {
    [ParameterForm("weight", .factor(initially: 0), [.output]), ParameterForm("bias", .normShift, [.output])]
  }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
