/// Images of one size that are held in memory, decoded: what IDX and CIFAR files become.
public struct InMemoryImages: ImageSource {
  /// What the images are called in messages.
  public let name: String
  /// The size of every image.
  public let size: ImageSize
  /// 1 or 3.
  public let channels: Int
  /// The names of the classes.
  public let classNames: [String]
  private let labels: [Int]
  private let pixels: [UInt8]

  /// Creates a source from samples, `[labels.count, height, width, channels]`.
  ///
  /// - Precondition: the number of samples fits and every label is an index into `classNames`.
  public init(
    name: String, size: ImageSize, channels: Int, classNames: [String], labels: [Int], pixels: [UInt8]
  ) {
    precondition(
      pixels.count == labels.count * size.width * size.height * channels,
      "\(pixels.count) samples do not make \(labels.count) images of \(size)×\(channels)")
    precondition(labels.allSatisfy(classNames.indices.contains), "a label is not a class")
    self.name = name
    self.size = size
    self.channels = channels
    self.classNames = classNames
    self.labels = labels
    self.pixels = pixels
  }

  /// The number of images.
  public var count: Int { labels.count }

  /// The size of every image.
  public var uniformSize: ImageSize? { size }

  /// Of all samples.
  public var contentChecksum: UInt64? { UInt64(pixels.withUnsafeBytes { Checksum.crc32($0) }) }

  /// The class of image `index`.
  public func label(at index: Int) -> Int { labels[index] }

  /// The data set and the number of image `index`.
  public func place(at index: Int) -> String { "\(name): image \(index)" }

  /// Image `index`.
  public func image(at index: Int) -> PixelImage { image(at: index) { .whole($0) } }

  /// A part of image `index`, never reduced.
  public func image(at index: Int, as request: (ImageSize) -> ImageRequest) -> PixelImage {
    let region = request(size).region
    let length = size.width * size.height * channels
    let part = pixels.withUnsafeBytes { bytes in
      PixelImage.part(
        region, of: UnsafeRawBufferPointer(rebasing: bytes[index * length..<(index + 1) * length]), width: size.width,
        channels: channels)
    }
    return PixelImage(width: region.width, height: region.height, channels: channels, pixels: part)
  }
}
