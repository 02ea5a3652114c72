/// A decoded image: 8 bits a sample, row by row, the channels of a pixel next to each other.
public struct PixelImage: Hashable, Sendable {
  /// The number of columns.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// 1 for grey, 3 for red, green, blue.
  public let channels: Int
  /// The samples, `[height, width, channels]`.
  public let pixels: [UInt8]

  /// Creates an image from its samples.
  ///
  /// - Precondition: `channels` is 1 or 3 and `pixels.count == width * height * channels`.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, not \(channels)")
    precondition(
      width > 0 && height > 0 && pixels.count == width * height * channels,
      "\(pixels.count) samples do not make \(width)×\(height)×\(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// Width and height.
  public var size: ImageSize { ImageSize(width: width, height: height) }
}
