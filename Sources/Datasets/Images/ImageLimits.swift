import Support

/// Bounds on what a header may declare, checked before anything is allocated for it.
///
/// They are far above any image that a network is trained on (the largest image of ImageNet has about 24 million pixels)
/// and far below what would exhaust a machine.
enum ImageLimits {
  /// Pixels along one side.
  static let side = 16_384
  /// Pixels in all.
  static let pixels = 1 << 26
  /// Bytes of one image file.
  static let fileBytes = 1 << 28
  /// Bytes of one member of an archive; CIFAR's files are 30 MB.
  static let archiveMemberBytes = 1 << 32
  /// Memory for one chunk of a PNG file, and for all chunks kept.
  static let chunkBytes = 1 << 22

  /// Throws unless an image of `width` × `height` is within bounds.
  ///
  /// - Parameters:
  ///   - pixelsPerByte: the most pixels that one byte of the codec's compressed data can stand for.
  ///   - fileBytes: the size of the file, which then bounds the pixels too.
  static func check(width: Int, height: Int, pixelsPerByte: Int, fileBytes: Int, path: String) throws {
    guard width > 0, height > 0 else {
      throw FileFailure(.badData, path: path, reason: "the header declares an empty image (\(width)×\(height))")
    }
    guard width <= side, height <= side, width * height <= pixels else {
      throw FileFailure(
        .badData, path: path,
        reason: "the header declares \(width)×\(height) pixels; at most \(side) a side and \(pixels) in all are read")
    }
    guard (width * height) / pixelsPerByte <= fileBytes + 16 else {
      throw FileFailure(
        .badData, path: path,
        reason: "the header declares \(width)×\(height) pixels, which do not fit into \(fileBytes) bytes; "
          + "the file is cut off or forged")
    }
  }
}
