import Foundation
import ImageFiles

extension ImageSource {
  /// Image `index` as a network sees it in evaluation, before normalization.
  public func imageForEvaluation(at index: Int, resolution: Int) throws -> PixelImage {
    try ImagePreparation(resolution: resolution, channels: channels, source: self).plain(index, of: self)
  }
}

/// Brings images to the resolution of the network, decoding no more than that needs.
struct ImagePreparation: Sendable {
  /// The side of the square that a network sees.
  let resolution: Int
  /// The channels that a network sees.
  let channels: Int
  /// The short side to which an image is resized before the middle is cut out.
  let shortSide: Int

  /// A resized image has no more samples than this. One so long that it would, 300 times longer than wide at 224 pixels, loses its
  /// ends before it is resized: they are cut off afterwards anyway. What is left may lie half a pixel beside where resizing the whole
  /// image would have put it.
  private static let mostSamples = 64 << 20

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
  ///
  /// - Parameter scalesInDecoder: Whether the codec may shrink the image part of the way. That is faster where much is to be shrunk,
  ///   but leaves more of the fine structure than resizing does, so evaluation, which is to agree with PyTorch's, does without.
  func plain(_ index: Int, of source: any ImageSource, scalesInDecoder: Bool = false) throws -> PixelImage {
    let image = try source.image(at: index) { size in
      ImageRequest(
        middle(of: size), divisor: scalesInDecoder ? Self.divisor(size.shortSide, to: shortSide) : 1)
    }
    return try fitted(image)
  }

  /// Image `index`, of which a rectangle that `choose` picks in the full image is cut out and resized.
  func cropped(
    _ index: Int, of source: any ImageSource, choose: (ImageSize) -> PixelRectangle
  ) throws -> PixelImage {
    let part = try source.image(at: index) { size in
      let crop = choose(size)
      return ImageRequest(crop, divisor: Self.divisor(min(crop.width, crop.height), to: resolution))
    }
    return try part.converted(toChannels: channels)
      .resized(to: ImageSize(width: resolution, height: resolution))
  }

  /// Short side to ``shortSide``, then the middle.
  func fitted(_ image: PixelImage) throws -> PixelImage {
    let middle = image.cropped(to: middle(of: image.size)).converted(toChannels: channels)
    return try middle.resized(to: middle.size.scaled(toShortSide: shortSide)).centerCropped(to: resolution)
  }

  // The largest divisor of the codecs after which `side` is still no shorter than `target`.
  private static func divisor(_ side: Int, to target: Int) -> Int {
    [8, 4, 2].first { side / $0 >= target } ?? 1
  }

  private func middle(of size: ImageSize) -> PixelRectangle {
    let longest = max(1, Self.mostSamples / (3 * shortSide * shortSide)) * size.shortSide
    let (width, height) = (min(size.width, longest), min(size.height, longest))
    return PixelRectangle(
      left: (size.width - width) / 2, top: (size.height - height) / 2, width: width, height: height)
  }
}
