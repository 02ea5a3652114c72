import Support

/// Bounds on what the header of an image may declare, checked before anything is allocated for it.
///
/// The default is far above any image that a network is trained on (the largest image of ImageNet has about 24 million pixels)
/// and far below what would exhaust a machine.
public struct ImageLimits: Hashable, Sendable {
  /// The most pixels of one image.
  public var pixels: Int

  /// Creates limits.
  public init(pixels: Int = 1 << 26) { self.pixels = pixels }

  /// The largest side at which networks see images.
  package static let resolution = 16_384
  /// Bytes of one image file.
  package static let fileBytes = 1 << 28
  /// Bytes of one member of an archive; CIFAR's files are 30 MB.
  package static let archiveMemberBytes = 1 << 32
  /// Memory for one chunk of a PNG file, and for all chunks kept; editors write megabytes of text.
  package static let chunkBytes = 1 << 26

  /// Throws unless an image of `size` is within bounds.
  ///
  /// - Parameters:
  ///   - pixelsPerByte: the most pixels that one byte of the codec's compressed data can stand for.
  ///   - fileBytes: the size of the file, which then bounds the pixels too.
  package func check(_ size: ImageSize, pixelsPerByte: Int, fileBytes: Int, path: String) throws {
    guard size.width > 0, size.height > 0 else {
      throw FileFailure(.badData, path: path, reason: "the header declares an empty image (\(size))")
    }
    let (count, overflow) = size.width.multipliedReportingOverflow(by: size.height)
    guard !overflow, count <= pixels else {
      throw FileFailure(
        .beyondLimit, path: path,
        reason: "the header declares \(size) pixels; at most \(pixels) in all are read. "
          + "If the image is no forgery, raise `max-image-pixels`")
    }
    guard count / pixelsPerByte <= fileBytes + 16 else {
      throw FileFailure(
        .badData, path: path,
        reason: "the header declares \(size) pixels, which do not fit into \(fileBytes) bytes; "
          + "the file is cut off or forged")
    }
  }
}
