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
