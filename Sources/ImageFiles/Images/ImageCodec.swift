import Support

/// The image formats that are told apart by their first bytes.
///
/// Names of files are not trusted: ImageNet holds a PNG image whose name ends in `.JPEG`.
package enum ImageCodec: Sendable {
  case jpeg
  case png

  /// The codec of a file that begins with `bytes`, or nil.
  package init?(signature bytes: some Collection<UInt8>) {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else {
      return nil
    }
  }

  /// The name of another well-known format that begins with `bytes`, for messages.
  package static func otherFormat(signature bytes: [UInt8]) -> String? {
    let known: [(String, [UInt8])] = [
      ("GIF", Array("GIF8".utf8)), ("BMP", Array("BM".utf8)), ("TIFF", [0x49, 0x49, 0x2A, 0]),
      ("TIFF", [0x4D, 0x4D, 0, 0x2A]), ("PGM", Array("P5".utf8)), ("PPM", Array("P6".utf8)),
    ]
    if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) { return "WebP" }
    return known.first { bytes.starts(with: $0.1) }?.0
  }

  /// The failure for a file that is neither JPEG nor PNG.
  package static func unsupported(path: String, signature bytes: [UInt8]) -> FileFailure {
    let found = otherFormat(signature: bytes).map { "is a \($0) image" } ?? "does not begin as an image"
    return FileFailure(
      .unsupported, path: path, reason: "\(found); JPEG and PNG are read. Convert it, or take it out of the folder")
  }
}
