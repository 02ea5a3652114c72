extension PixelImage {
  /// This image with 1 or 3 channels: grey is repeated, colour is weighted to luminance.
  ///
  /// The weights are those of ITU-R BT.601 in 16-bit fixed point, so that results equal Pillow's `convert("L")`.
  public func converted(toChannels wanted: Int) -> PixelImage {
    if wanted == channels { return self }
    let count = width * height
    let converted = [UInt8](unsafeUninitializedCapacity: count * wanted) { output, initialized in
      for pixel in 0..<count {
        if wanted == 3 {
          let grey = pixels[pixel]
          for channel in 0..<3 { output[3 * pixel + channel] = grey }
        } else {
          let (red, green, blue) = (pixels[3 * pixel], pixels[3 * pixel + 1], pixels[3 * pixel + 2])
          let sum = 19595 * UInt32(red) + 38470 * UInt32(green) + 7471 * UInt32(blue)
          output[pixel] = UInt8((sum + 0x8000) >> 16)
        }
      }
      initialized = count * wanted
    }
    return PixelImage(width: width, height: height, channels: wanted, pixels: converted)
  }
}
