/// One split of a packed file.
public struct PackedImages: ImageSource {
  /// What the images are called in messages.
  public let name: String
  /// The common size, where all images are small and have one size.
  public let uniformSize: ImageSize?
  private let file: PackedFile
  private let numbers: Range<Int>
  private let limits: ImageLimits

  init(file: PackedFile, numbers: Range<Int>, name: String, uniformSize: [Int]?, limits: ImageLimits) {
    self.file = file
    self.numbers = numbers
    self.name = name
    self.limits = limits
    self.uniformSize = uniformSize.map { ImageSize(width: $0[0], height: $0[1]) }
  }

  /// The number of images.
  public var count: Int { numbers.count }

  /// The channels of every image.
  public var channels: Int { file.description.channels }

  /// The names of the classes.
  public var classNames: [String] { file.description.classNames }

  /// Of the table, which holds the checksum of every image.
  public var contentChecksum: UInt64? { UInt64(file.header.tableChecksum) << 32 | UInt64(numbers.lowerBound) }

  /// The class of image `index`.
  public func label(at index: Int) -> Int { file.label(of: numbers.lowerBound + index) }

  /// The file and the number of image `index`.
  public func place(at index: Int) -> String { file.name(of: numbers.lowerBound + index) }

  /// Reads image `index` whole, to find out what is wrong with it.
  public func damage(at index: Int) throws -> String? {
    let number = numbers.lowerBound + index
    return try file.read(number) { record, bytes in
      record.encoding == .raw
        ? nil : try PixelImage.damage(bytes: bytes, path: file.name(of: number), limits: limits)
    }
  }

  /// The JPEG or PNG file that image `index` is; nil for raw samples.
  public func file(at index: Int) throws -> [UInt8]? {
    try file.read(numbers.lowerBound + index) { record, bytes in record.encoding == .file ? Array(bytes) : nil }
  }

  /// A part of image `index`; of raw samples no more rows are read than that.
  public func image(at index: Int, as request: (ImageSize) -> ImageRequest) throws -> PixelImage {
    let number = numbers.lowerBound + index
    // Of raw samples, what is wanted: asked once.
    var region: PixelRectangle?
    func rows(_ record: PackedRecord) -> Range<Int> {
      guard record.encoding == .raw else { return 0..<record.length }
      let wanted = request(record.imageSize).region
      region = wanted
      let row = record.imageSize.width * record.channels
      return wanted.top * row..<(wanted.top + wanted.height) * row
    }
    return try file.read(number, part: rows) { record, bytes in
      guard var part = region else {
        return try PixelImage.decode(
          bytes: bytes, path: file.name(of: number), channels: channels, limits: limits, as: request)
      }
      part.top = 0
      return PixelImage(
        width: part.width, height: part.height, channels: record.channels,
        pixels: PixelImage.part(part, of: bytes, width: record.imageSize.width, channels: record.channels))
    }
  }
}
