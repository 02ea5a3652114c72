import Support

/// The range of width multipliers of a search and its step.
public struct WidthRange: Codable, Sendable, Hashable {
  /// The smallest multiplier.
  public var minimum: Double
  /// The largest multiplier: the supernet's width.
  public var maximum: Double
  /// Between neighbouring widths.
  public var offset: Double

  /// Whole steps from the smallest to the largest.
  public var steps: Int { Int((maximum - minimum) / offset + 1e-4) }

  /// Creates a range; the defaults are the official MobileNetV2 setting.
  public init(minimum: Double = 0.1, maximum: Double = 1.5, offset: Double = 0.1) {
    self.minimum = minimum
    self.maximum = maximum
    self.offset = offset
  }

  func validate(for method: String) throws {
    guard minimum > 0, minimum < maximum, maximum <= 100 else {
      throw UsageFailure("\(method): the widths from \(minimum) to \(maximum) are no range above 0 and up to 100")
    }
    guard offset > 0, (maximum - minimum) / offset <= 1000 else {
      throw UsageFailure(
        "\(method): the step between widths is \(offset), it must be positive and make at most 1000 steps")
    }
  }
}
