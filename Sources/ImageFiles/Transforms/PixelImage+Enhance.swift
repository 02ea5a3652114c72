// The transforms of Pillow's ImageEnhance: each blends the image with a version of it that lacks something. A factor of 0
// gives that version, 1 the image itself, and more than 1 exaggerates what the version lacks.
extension PixelImage {
  /// Blends with black.
  func adjustingBrightness(by factor: Double) -> PixelImage {
    let factor = Float(factor)
    return mapped(by: (0...255).map { Self.blend(0, $0, factor) })
  }

  /// Blends with an even grey of the image's mean luminance.
  func adjustingContrast(by factor: Double) -> PixelImage {
    let grey = converted(toChannels: 1).pixels
    let sum = grey.withUnsafeBufferPointer { $0.reduce(0) { $0 &+ Int($1) } }
    let mean = UInt8(Int(Double(sum) / Double(grey.count) + 0.5))
    let factor = Float(factor)
    return mapped(by: (0...255).map { Self.blend(mean, $0, factor) })
  }

  /// Blends with the image in grey; a grey image stays as it is.
  func adjustingSaturation(by factor: Double) -> PixelImage {
    if channels == 1 { return self }
    let factor = Float(factor)
    let grey = converted(toChannels: 1).pixels
    return replacingSamples { input, output in
      grey.withUnsafeBufferPointer { grey in
        for pixel in 0..<grey.count {
          let index = 3 &* pixel
          for sample in index..<index &+ 3 { output[sample] = Self.blend(grey[pixel], input[sample], factor) }
        }
      }
    }
  }

  /// Blends with the image smoothed: the mean of 3×3 pixels in which the middle one counts fivefold.
  ///
  /// The pixels at the border are not smoothed, and so stay as they are.
  func adjustingSharpness(by factor: Double) -> PixelImage {
    if width < 3 || height < 3 { return self }
    let factor = Float(factor)
    let (channels, row) = (channels, width * channels)
    return replacingSamples { input, output in
      for index in 0..<row { output[index] = input[index] }
      for start in stride(from: row, to: input.count - row, by: row) {
        for index in start..<start &+ channels { output[index] = input[index] }
        for index in start &+ channels..<start &+ row &- channels {
          var sum: Int32 = 4 &* Int32(input[index])
          for middle in [index &- row, index, index &+ row] {
            sum &+= Int32(input[middle &- channels]) &+ Int32(input[middle]) &+ Int32(input[middle &+ channels])
          }
          // Rounded. Pillow rounds a sum of floats, which is the same: thirteenths never come near a half.
          output[index] = Self.blend(UInt8(truncatingIfNeeded: (sum &+ 6) / 13), input[index], factor)
        }
        for index in start &+ row &- channels..<start &+ row { output[index] = input[index] }
      }
      for index in input.count - row..<input.count { output[index] = input[index] }
    }
  }

  /// `sample` blended with its counterpart in the version that lacks something, in Pillow's 32-bit arithmetic, which cuts
  /// fractions off.
  @inline(__always)
  private static func blend(_ lacking: UInt8, _ sample: UInt8, _ factor: Float) -> UInt8 {
    let value = min(max(Float(lacking) + factor * Float(Int32(sample) &- Int32(lacking)), 0), 255)
    // UInt8(value), but without its checks, which keep the compiler from working on several samples at once (sharpness
    // takes 2.5 times as long): the lowest bits of the sum are the nearest whole number.
    let nearest = value + 0x1p23
    return UInt8(truncatingIfNeeded: nearest.bitPattern) &- (nearest - 0x1p23 > value ? 1 : 0)
  }
}
