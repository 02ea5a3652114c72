/// What is wanted of an image: a part of it, perhaps at a fraction of its size.
public struct ImageRequest: Hashable, Sendable {
  /// The part, in pixels of the whole image at its full size.
  public var region: PixelRectangle
  /// The largest divisor of width and height that is of use, 1 or more. What comes back may be reduced less, or not at all.
  public var divisor: Int

  /// Asks for a part.
  public init(_ region: PixelRectangle, divisor: Int = 1) {
    self.region = region
    self.divisor = divisor
  }

  /// Asks for all of an image of `size`.
  public static func whole(_ size: ImageSize, divisor: Int = 1) -> ImageRequest {
    ImageRequest(PixelRectangle(left: 0, top: 0, width: size.width, height: size.height), divisor: divisor)
  }

  /// The part in pixels of an image that was `full` and is now `size`.
  package func region(in full: ImageSize, reducedTo size: ImageSize) -> PixelRectangle {
    if full == size { return region }
    func map(_ start: Int, _ length: Int, _ full: Int, _ reduced: Int) -> (start: Int, length: Int) {
      let scale = Double(reduced) / Double(full)
      let length = min(reduced, max(1, Int((Double(length) * scale).rounded())))
      return (min(Int((Double(start) * scale).rounded()), reduced - length), length)
    }
    let (left, width) = map(region.left, region.width, full.width, size.width)
    let (top, height) = map(region.top, region.height, full.height, size.height)
    return PixelRectangle(left: left, top: top, width: width, height: height)
  }
}
