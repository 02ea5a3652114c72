// The transforms of Pillow's ImageOps that replace every value by another one.
extension PixelImage {
  /// Keeps the upper `bits` bits of every sample and clears the others.
  ///
  /// - Precondition: `bits` lies in 1...8.
  func posterized(bits: Int) -> PixelImage {
    precondition((1...8).contains(bits), "\(bits) bits of 8")
    let mask = 0xFF << (8 - bits) & 0xFF
    return mapped(by: Self.table { $0 & mask })
  }

  /// Inverts the samples that are `threshold` or more.
  func solarized(threshold: Double) -> PixelImage {
    mapped(by: Self.table { Double($0) < threshold ? $0 : 255 - $0 })
  }

  /// Stretches every channel so that its smallest value becomes 0 and its largest 255; a channel of one value stays.
  ///
  /// Fractions are cut off, so that the largest value may become 254, as in Pillow.
  func autocontrasted() -> PixelImage {
    mapped(
      by: perChannel { counts in
        let smallest = counts.firstIndex { $0 > 0 } ?? 0
        let largest = counts.lastIndex { $0 > 0 } ?? 0
        if largest <= smallest { return nil }
        // In Pillow's order of operations, for its rounding errors.
        let scale = 255 / Double(largest - smallest)
        let offset = -Double(smallest) * scale
        return Self.table { Int(Double($0) * scale + offset) }
      })
  }

  /// Maps every channel so that its values become equally frequent, as far as whole values can.
  ///
  /// The frequency of the largest value is left out of the step from one new value to the next, so that this value becomes
  /// 255. A channel with one value only, or with less than 255 samples below its largest value, stays.
  func equalized() -> PixelImage {
    mapped(
      by: perChannel { counts in
        guard let largest = counts.lastIndex(where: { $0 > 0 }) else { return nil }
        let step = (counts.reduce(0, +) - counts[largest]) / 255
        if step == 0 { return nil }
        var below = step / 2
        return Self.table { value in
          defer { below += counts[value] }
          return below / step
        }
      })
  }

  /// A table for each channel out of its histogram, with the identity where `table` gives none.
  private func perChannel(_ table: ([Int]) -> [UInt8]?) -> [UInt8] {
    let counts = histogram()
    return (0..<channels).flatMap { channel in
      table(Array(counts[256 * channel..<256 * (channel + 1)])) ?? Self.table { $0 }
    }
  }
}
