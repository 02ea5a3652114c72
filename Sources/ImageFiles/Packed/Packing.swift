import Foundation
import Support

/// Writes a data set as one packed file.
public struct Packing: Sendable {
  /// How images are stored.
  public typealias Encoding = PackedEncoding

  /// What was written.
  public struct Summary: Sendable {
    /// Training images.
    public var training = 0
    /// Held-out images.
    public var heldOut = 0
    /// The bytes of the file.
    public var bytes = 0
    /// Images that were left out.
    public var skipped: [SkippedImage] = []
  }

  /// How images are stored.
  public var encoding: Encoding
  /// Longer images are shrunk to this many pixels along their longer side; nil leaves sizes as they are.
  public var largestSide: Int?
  /// The quality of what is encoded anew, 1 to 100.
  public var quality: Int
  /// Gives an image another size.
  private let resize: Resize

  /// Gives an image another size.
  public typealias Resize = @Sendable (PixelImage, ImageSize) throws -> PixelImage

  private static let alignment = 64

  /// Describes a packing.
  ///
  /// - Parameter resize: Shrinks images; called only where there is a largest side.
  public init(
    encoding: Encoding = .source, largestSide: Int? = nil, quality: Int = 90, resize: @escaping Resize
  ) {
    self.encoding = encoding
    self.largestSide = largestSide
    self.quality = quality
    self.resize = resize
  }

  /// Writes `dataset` to the file at `path`, whole or not at all.
  ///
  /// Every image is decoded on the way, so that a packed file holds only images that can be used.
  ///
  /// - Parameters:
  ///   - threads: How many decode at a time.
  ///   - progress: Called now and then with the images done so far and all; may throw to end the work.
  /// - Throws: ``Support/FileFailure``; ``Support/UsageFailure`` for settings that make no sense.
  public func write(
    _ dataset: Dataset, to path: String, threads: Int, progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> Summary {
    guard (1...100).contains(quality) else { throw UsageFailure("the quality is \(quality); it lies in 1...100") }
    if let largestSide, largestSide < 1 { throw UsageFailure("the largest side is \(largestSide); it is at least 1") }
    let all = dataset.training.count + dataset.heldOut.count
    var summary = Summary()
    var records: [PackedRecord] = []
    records.reserveCapacity(all)
    var sizes: [[ImageSize]] = []
    try AtomicFile.write(to: path) { writer in
      try writer.skip(to: Self.aligned(PackedHeader.size + all * PackedRecord.size))
      for source in [dataset.training, dataset.heldOut] {
        let first = records.count
        let stream = OrderedPrefetch(0..<source.count, threads: max(1, threads), depth: 4 * max(1, threads)) { index in
          try self.item(source, index, dataset.onBadImage)
        }
        var done = first + summary.skipped.count
        while let item = try stream.next() {
          switch item {
          case .skipped(let image): summary.skipped.append(image)
          case .image(var record, let bytes):
            record.offset = writer.count
            records.append(record)
            try bytes.withUnsafeBytes { try writer.write($0) }
            try writer.skip(to: Self.aligned(writer.count))
          }
          done += 1
          try progress(done, all)
        }
        sizes.append(records[first...].map(\.imageSize))
      }
      (summary.training, summary.heldOut) = (sizes[0].count, sizes[1].count)
      guard summary.training > 0, summary.heldOut > 0 else {
        throw FileFailure(.badData, path: path, reason: "a split of \(dataset.name) has no image that can be used")
      }
      try finish(dataset, records, sizes, &writer)
      summary.bytes = writer.count
    }
    return summary
  }

  private func finish(
    _ dataset: Dataset, _ records: [PackedRecord], _ sizes: [[ImageSize]], _ writer: inout AtomicFile.Writer
  ) throws {
    // Unchanged images keep what their source says of them, so that training on either gives the same. The training images decide
    // for both splits.
    let packed = sizes[0]
    let common =
      largestSide == nil
      ? dataset.training.uniformSize
      : ImageFolder.commonSize(of: ImageFolder.probes(packed.count).map { index in { packed[index] } })
    func split(_ images: Int) -> PackedDescription.Split {
      .init(images: images, uniformSize: common.map { [$0.width, $0.height] })
    }
    let source = dataset.format.hasPrefix("packed from ") ? dataset.format : "packed from \(dataset.format)"
    let description = PackedDescription(
      name: dataset.name, source: source, classNames: dataset.classNames, channels: dataset.channels,
      // Images that were made smaller are trained on at their size, as a folder of such images would be.
      resolution: largestSide == nil ? dataset.resolution : common?.shortSide ?? dataset.resolution,
      normalization: dataset.normalization,
      training: split(sizes[0].count), heldOut: split(sizes[1].count))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = try encoder.encode(description)
    let offset = writer.count
    try writer.write(text)
    let table = records.flatMap(\.bytes)
    let header = PackedHeader(
      records: records.count, descriptionOffset: offset, descriptionLength: text.count, fileSize: writer.count,
      tableChecksum: Checksum.crc32(table), descriptionChecksum: Checksum.crc32(Array(text)))
    try (header.bytes + table).withUnsafeBytes { try writer.overwrite($0, at: 0) }
  }

  private enum Item: Sendable {
    case image(PackedRecord, [UInt8])
    case skipped(SkippedImage)
  }

  private func item(_ source: any ImageSource, _ index: Int, _ onBadImage: BadImagePolicy) throws -> Item {
    do {
      return try image(source, index)
    } catch let failure as FileFailure where onBadImage == .skip && failure.kind != .io {
      return .skipped(SkippedImage(failure))
    }
  }

  private func image(_ source: any ImageSource, _ index: Int) throws -> Item {
    let file = try source.file(at: index)
    var full = ImageSize(width: 1, height: 1)
    let decoded = try source.image(at: index) { size in
      full = size
      // The whole file is read: a part might not show that the rest is damaged.
      return .whole(size)
    }
    func packed(_ bytes: [UInt8], _ encoding: PackedRecord.Encoding, _ image: PixelImage) throws -> Item {
      guard bytes.count <= Int(UInt32.max) else {
        throw FileFailure(.beyondLimit, path: source.place(at: index), reason: "takes more than 4 GiB")
      }
      return .image(
        PackedRecord(
          offset: 0, length: bytes.count, label: source.label(at: index), imageSize: image.size, encoding: encoding,
          channels: image.channels, checksum: Checksum.crc32(bytes)), bytes)
    }
    let longest = max(full.width, full.height)
    let fits = largestSide.map { longest <= $0 } ?? true
    let isJPEG = file.map { ImageCodec(signature: $0) == .jpeg } ?? false
    if let file, fits, encoding == .source || (encoding == .jpeg && isJPEG) { return try packed(file, .file, decoded) }
    let image = try fits ? decoded : shrunk(decoded)
    // A shrunk JPEG stays one; what was without loss stays so.
    if encoding == .jpeg || (encoding == .source && isJPEG) {
      return try packed(JPEGEncoder(quality: quality).encode(image, path: source.place(at: index)), .file, image)
    }
    return try packed(image.pixels, .raw, image)
  }

  private func shrunk(_ image: PixelImage) throws -> PixelImage {
    guard let largestSide else { return image }
    let longest = max(image.width, image.height)
    func scaled(_ side: Int) -> Int { max(1, (side * largestSide + longest / 2) / longest) }
    return try resize(image, ImageSize(width: scaled(image.width), height: scaled(image.height)))
  }

  private static func aligned(_ place: Int) -> Int { (place + alignment - 1) / alignment * alignment }
}
