/// An elementwise non-linearity.
public enum Activation: String, Codable, Hashable, Sendable, CaseIterable {
  /// `max(0, x)`.
  case relu
  /// `min(max(0, x), 6)`, of MobileNetV2.
  case relu6
  /// `x · sigmoid(x)`, of EfficientNet.
  case silu
  /// `1 / (1 + exp(-x))`, the gate of squeeze-excite.
  case sigmoid
  /// `x · min(max(0, x + 3), 6) / 6`, of MobileNetV3.
  case hardSwish
  /// `min(max(0, x + 3), 6) / 6`, the gate of MobileNetV3's squeeze-excite.
  case hardSigmoid
  /// `x` where it is positive, `0.01 · x` elsewhere, as PyTorch's `LeakyReLU`.
  case leakyRelu
  /// `x · Φ(x)` with the normal distribution's Φ, as PyTorch's `GELU`.
  case gelu
}

extension Activation: OperationDefinition {
  /// The names of the functions.
  public static let kinds = allCases.map(\.rawValue)
  /// The function's name.
  public var kind: String { rawValue }

  /// None.
  public static let settingNames: [String] = []
  /// The function of that name.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    guard let function = Activation(rawValue: kind) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "there is no activation \"\(kind)\""))
    }
    self = function
  }

  /// The name says all.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape { site.input }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> Activation { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
