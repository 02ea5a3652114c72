/// Batch normalization, as PyTorch's `BatchNorm2d`.
public struct BatchNorm: Hashable, Sendable {
  /// Added to the variance.
  public var epsilon: Double
  /// The weight of a new batch in the running statistics (PyTorch's convention; ONNX uses one minus it).
  public var momentum: Double

  /// Creates a batch norm with PyTorch's defaults.
  public init(epsilon: Double = 1e-5, momentum: Double = 0.1) {
    self.epsilon = epsilon
    self.momentum = momentum
  }
}

extension BatchNorm: Codable {
  private enum CodingKeys: String, CodingKey { case epsilon, momentum }

  /// Reads a batch norm with PyTorch's defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      epsilon: try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-5,
      momentum: try values.decodeIfPresent(Double.self, forKey: .momentum) ?? 0.1)
  }
}

extension BatchNorm: OperationDefinition {
  /// `batchNorm`.
  public static let kinds = ["batchNorm"]
  /// `batchNorm`.
  public var kind: String { "batchNorm" }
  /// Its settings.
  public static let settingNames: [String] = ["epsilon", "momentum"]
  /// Reads a batch norm.
  public init(kind: String, settingsFrom decoder: any Decoder) throws { try self.init(from: decoder) }
  /// Writes both settings.
  public func encodeSettings(to encoder: any Encoder) throws { try encode(to: encoder) }
  /// One.
  public var arity: Arity { .one }

  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard epsilon.isFinite, epsilon >= 0, momentum.isFinite else {
      throw site.failure("epsilon \(epsilon) and momentum \(momentum) must be finite")
    }
    return site.input
  }

  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> BatchNorm { self }

  /// `weight` (gamma) and `bias` (beta); the running statistics are not learnable.
  public var parameters: [ParameterForm] {
    [ParameterForm("weight", .normScale, [.output]), ParameterForm("bias", .normShift, [.output])]
  }

  /// None that count.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
