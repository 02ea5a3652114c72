import Foundation

/// Brings decoded images to the resolution of the network.
struct ImagePreparation: Sendable {
  /// The side of the square that a network sees.
  let resolution: Int
  /// The channels that a network sees.
  let channels: Int
  /// The short side to which an image is resized before the middle is cut out.
  let shortSide: Int

  /// Creates the preparation for images of `source`.
  ///
  /// Small images of one size are resized as a whole. Photographs are resized to 8/7 of the resolution and lose their
  /// margins, as in the evaluation of ImageNet (256 for 224).
  init(resolution: Int, channels: Int, source: any ImageSource) {
    self.resolution = resolution
    self.channels = channels
    shortSide =
      source.uniformSize == nil ? Int((Double(resolution) * 8 / 7).rounded()) : resolution
  }

  /// Image `index` as evaluation sees it.
  func plain(_ index: Int, of source: any ImageSource) throws -> PixelImage {
    let image = try source.image(at: index) { size in Self.reduction(size.shortSide, to: shortSide) }
    return try fitted(image)
  }

  /// Image `index`, decoded, cut to a rectangle that `choose` picks in the full image, and resized.
  func cropped(
    _ index: Int, of source: any ImageSource, choose: (ImageSize) -> PixelRectangle
  ) throws -> PixelImage {
    var fullSize = ImageSize(width: 1, height: 1)
    var crop = PixelRectangle(left: 0, top: 0, width: 1, height: 1)
    let image = try source.image(at: index) { size in
      fullSize = size
      crop = choose(size)
      return Self.reduction(min(crop.width, crop.height), to: resolution)
    }
    let part = image.cropped(to: Self.rectangle(crop, in: fullSize, mappedTo: image.size))
    return try part.converted(toChannels: channels)
      .resized(to: ImageSize(width: resolution, height: resolution))
  }

  /// Short side to ``shortSide``, then the middle.
  func fitted(_ image: PixelImage) throws -> PixelImage {
    try image.converted(toChannels: channels).resized(to: image.size.scaled(toShortSide: shortSide))
      .centerCropped(to: resolution)
  }

  // The largest divisor of the codecs after which `side` is still no shorter than `target`.
  private static func reduction(_ side: Int, to target: Int) -> Int {
    [8, 4, 2].first { side / $0 >= target } ?? 1
  }

  private static func rectangle(
    _ rectangle: PixelRectangle, in full: ImageSize, mappedTo size: ImageSize
  ) -> PixelRectangle {
    if full == size { return rectangle }
    func map(_ start: Int, _ length: Int, _ full: Int, _ reduced: Int) -> (start: Int, length: Int) {
      let scale = Double(reduced) / Double(full)
      let length = min(reduced, max(1, Int((Double(length) * scale).rounded())))
      return (min(Int((Double(start) * scale).rounded()), reduced - length), length)
    }
    let (left, width) = map(rectangle.left, rectangle.width, full.width, size.width)
    let (top, height) = map(rectangle.top, rectangle.height, full.height, size.height)
    return PixelRectangle(left: left, top: top, width: width, height: height)
  }
}
