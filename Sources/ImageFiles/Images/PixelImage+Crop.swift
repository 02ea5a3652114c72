extension PixelImage {
  /// The part of the image inside `rectangle`.
  ///
  /// - Precondition: the rectangle is not empty and lies within the image.
  package func cropped(to rectangle: PixelRectangle) -> PixelImage {
    precondition(rectangle.lies(within: size), "\(rectangle) is not within \(size)")
    if rectangle.width == width && rectangle.height == height { return self }
    let part = pixels.withUnsafeBytes { Self.part(rectangle, of: $0, width: width, channels: channels) }
    return PixelImage(width: rectangle.width, height: rectangle.height, channels: channels, pixels: part)
  }

  /// The square of `side` pixels in the middle, placed as torchvision's `CenterCrop` places it.
  ///
  /// - Precondition: neither side of the image is shorter than `side`.
  package func centerCropped(to side: Int) -> PixelImage {
    func offset(_ slack: Int) -> Int { Int((Double(slack) / 2).rounded(.toNearestOrEven)) }
    return cropped(
      to: PixelRectangle(left: offset(width - side), top: offset(height - side), width: side, height: side))
  }

  /// The samples inside `rectangle` of an image of `width` columns whose samples are `bytes`.
  package static func part(
    _ rectangle: PixelRectangle, of bytes: UnsafeRawBufferPointer, width: Int, channels: Int
  ) -> [UInt8] {
    let row = rectangle.width * channels
    return [UInt8](unsafeUninitializedCapacity: row * rectangle.height) { output, initialized in
      for line in 0..<rectangle.height {
        let start = ((rectangle.top + line) * width + rectangle.left) * channels
        UnsafeMutableRawBufferPointer(output).baseAddress!.advanced(by: line * row)
          .copyMemory(from: bytes.baseAddress! + start, byteCount: row)
      }
      initialized = row * rectangle.height
    }
  }
}
