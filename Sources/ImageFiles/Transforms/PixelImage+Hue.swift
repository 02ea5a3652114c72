extension PixelImage {
  /// Turns the hue by `factor` of the colour circle; a grey image stays as it is.
  ///
  /// Hue and saturation are rounded to 8 bits on the way, as in Pillow's HSV images, so that a factor of 0 changes an image
  /// too.
  ///
  /// - Precondition: `factor` lies in -0.5...0.5.
  func adjustingHue(by factor: Double) -> PixelImage {
    precondition((-0.5...0.5).contains(factor), "a hue factor of \(factor)")
    if channels == 1 { return self }
    let turn = UInt8(truncatingIfNeeded: Int(factor * 255))
    let sectors = (0...255).map { HueSector(hue: $0 &+ turn) }
    return replacingSamples { input, output in
      sectors.withUnsafeBufferPointer { sectors in
        for index in stride(from: 0, to: input.count, by: 3) {
          let (red, green, blue) = (input[index], input[index &+ 1], input[index &+ 2])
          let (value, least) = (max(red, green, blue), min(red, green, blue))
          let saturation = value == least ? 0 : UInt8(Double(Float(value &- least) / Float(value)) * 255)
          let colour: (red: UInt8, green: UInt8, blue: UInt8)
          if saturation == 0 {
            colour = (value, value, value)
          } else {
            let hue = Self.hue(red, green, blue, value: value, least: least)
            colour = sectors[Int(hue)].colour(saturation: saturation, value: value)
          }
          output[index] = colour.red
          output[index &+ 1] = colour.green
          output[index &+ 2] = colour.blue
        }
      }
    }
  }

  /// The hue in 255ths of the circle, with Pillow's mixture of 32 and 64 bits.
  ///
  /// `value` and `least` are the largest and the smallest of the three samples, which are not all equal.
  @inline(__always)
  private static func hue(_ red: UInt8, _ green: UInt8, _ blue: UInt8, value: UInt8, least: UInt8) -> UInt8 {
    // What the samples lack of the largest one, as parts of the range. Only that of the middle one takes a division.
    let middle = UInt8(truncatingIfNeeded: Int(red) &+ Int(green) &+ Int(blue) &- Int(value) &- Int(least))
    let part = Float(value &- middle) / Float(value &- least)
    func lack(_ sample: UInt8) -> Float { sample == value ? 0 : sample == least ? 1 : part }
    let sixths: Float
    if red == value {
      sixths = lack(blue) - lack(green)
    } else if green == value {
      sixths = Float(2 + Double(lack(red)) - Double(lack(blue)))
    } else {
      sixths = Float(4 + Double(lack(green)) - Double(lack(red)))
    }
    let turns = Double(sixths) / 6 + 1
    return UInt8(Double(Float(turns < 1 ? turns : turns - 1)) * 255)
  }
}
