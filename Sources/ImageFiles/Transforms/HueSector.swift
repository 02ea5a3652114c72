/// Where a hue of 8 bits lies: in which sixth of the colour circle, and how far into it.
struct HueSector {
  private let index: Int
  private let fraction: Double

  /// Creates the place of a hue in 255ths of the circle.
  init(hue: UInt8) {
    let sixths = Double(hue) * 6 / 255
    index = Int(sixths)
    fraction = sixths - Double(index)
  }

  /// The colour of this hue, rounded to 8 bits; `saturation` is not 0.
  ///
  /// Pillow computes some of it in 32 bits, which gives the same for each of the 2²⁴ arguments.
  @inline(__always)
  func colour(saturation: UInt8, value: UInt8) -> (red: UInt8, green: UInt8, blue: UInt8) {
    let saturation = Double(saturation) / 255
    let low = Self.share(1 - saturation, of: value)
    let falling = Self.share(1 - saturation * fraction, of: value)
    let rising = Self.share(1 - saturation * (1 - fraction), of: value)
    switch index {
    case 1: return (falling, value, low)
    case 2: return (low, value, rising)
    case 3: return (low, falling, value)
    case 4: return (rising, low, value)
    case 5: return (value, low, falling)
    default: return (value, rising, low)  // 0, and 6, which is the whole turn
    }
  }

  /// `part` of `value`, rounded to the nearest whole number, halves upwards.
  @inline(__always)
  private static func share(_ part: Double, of value: UInt8) -> UInt8 { UInt8(Double(value) * part + 0.5) }
}
