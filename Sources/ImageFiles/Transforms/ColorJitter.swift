import Support

/// Varies brightness, contrast, saturation and hue of images at random, like torchvision's class of that name.
///
/// A strength of 0 leaves that property alone.
public struct ColorJitter: Hashable, Sendable, Encodable {
  /// The brightness factor is uniform in `max(0, 1 - brightness)...1 + brightness`.
  public var brightness: Double
  /// The contrast factor is uniform in `max(0, 1 - contrast)...1 + contrast`.
  public var contrast: Double
  /// The saturation factor is uniform in `max(0, 1 - saturation)...1 + saturation`.
  public var saturation: Double
  /// The hue is turned by a part of the colour circle that is uniform in `-hue...hue`; at most 0.5.
  public var hue: Double

  /// Creates a jitter that varies what has a strength.
  public init(brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0) {
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
    self.hue = hue
  }

  /// Throws unless the values make sense.
  ///
  /// - Throws: ``Support/UsageFailure``.
  public func validate() throws {
    for (name, strength) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)] {
      guard (0...10).contains(strength) else {
        throw UsageFailure("colorJitter: \(name) is \(strength); it lies in 0...10")
      }
    }
    guard (0...0.5).contains(hue) else { throw UsageFailure("colorJitter: hue is \(hue); it lies in 0...0.5") }
  }

  /// The image after adjustments drawn from `generator`.
  func apply(to image: PixelImage, _ generator: inout SeededGenerator) -> PixelImage {
    draw(from: &generator).reduce(image) { $1.apply(to: $0) }
  }

  /// Adjustments of what has a strength, in random order.
  ///
  /// First the order is drawn, then the factors of brightness, contrast, saturation and hue: always all of them, so that a
  /// strength does not change what is drawn for the others.
  func draw(from generator: inout SeededGenerator) -> [ColorAdjustment] {
    let order = generator.shuffled([0, 1, 2, 3])
    func factor(around centre: Double, _ strength: Double, atLeast least: Double) -> Double {
      let low = max(least, centre - strength)
      return low + (centre + strength - low) * generator.nextUnit()
    }
    let drawn: [(strength: Double, adjustment: ColorAdjustment)] = [
      (brightness, .brightness(factor(around: 1, brightness, atLeast: 0))),
      (contrast, .contrast(factor(around: 1, contrast, atLeast: 0))),
      (saturation, .saturation(factor(around: 1, saturation, atLeast: 0))),
      (hue, .hue(factor(around: 0, hue, atLeast: -0.5))),
    ]
    return order.map { drawn[$0] }.filter { $0.strength > 0 }.map(\.adjustment)
  }
}
