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
}
