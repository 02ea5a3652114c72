/// A rectangle of whole pixels.
struct PixelRectangle: Hashable, Sendable {
  var left: Int
  var top: Int
  var width: Int
  var height: Int
}

extension PixelImage {
  /// The part of the image inside `rectangle`.
  ///
  /// - Precondition: the rectangle is not empty and lies within the image.
  func cropped(to rectangle: PixelRectangle) -> PixelImage {
    precondition(
      rectangle.left >= 0 && rectangle.top >= 0 && rectangle.width > 0 && rectangle.height > 0
        && rectangle.left + rectangle.width <= width && rectangle.top + rectangle.height <= height,
      "\(rectangle) is not within \(size)")
    if rectangle.width == width && rectangle.height == height { return self }
    var cropped: [UInt8] = []
    cropped.reserveCapacity(rectangle.width * rectangle.height * channels)
    for row in rectangle.top..<rectangle.top + rectangle.height {
      let start = (row * width + rectangle.left) * channels
      cropped.append(contentsOf: pixels[start..<start + rectangle.width * channels])
    }
    return PixelImage(width: rectangle.width, height: rectangle.height, channels: channels, pixels: cropped)
  }

  /// The square of `side` pixels in the middle, placed as torchvision's `CenterCrop` places it.
  ///
  /// - Precondition: neither side of the image is shorter than `side`.
  func centerCropped(to side: Int) -> PixelImage {
    func offset(_ slack: Int) -> Int { Int((Double(slack) / 2).rounded(.toNearestOrEven)) }
    return cropped(
      to: PixelRectangle(left: offset(width - side), top: offset(height - side), width: side, height: side))
  }
}
