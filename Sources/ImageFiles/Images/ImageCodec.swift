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
      ("JPEG 2000", [0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20]), ("JPEG XL", [0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20]),
      ("JPEG XL", [0xFF, 0x0A]),
    ]
    if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) { return "WebP" }
    if bytes.dropFirst(4).starts(with: Array("ftypavi".utf8)) { return "AVIF" }
    if bytes.dropFirst(4).starts(with: Array("ftyphe".utf8)) || bytes.dropFirst(4).starts(with: Array("ftypmif1".utf8))
    {
      return "HEIC"
    }
    return known.first { bytes.starts(with: $0.1) }?.0
  }

  /// The failure for a file that is neither JPEG nor PNG.
  package static func unsupported(path: String, signature bytes: [UInt8]) -> FileFailure {
    let (reason, advice): (String, String) =
      if bytes.isEmpty {
        ("is empty", "Copy or download it again")
      } else if bytes.starts(with: Array("version https".utf8)) {
        ("is a pointer of Git LFS, not the image", "Fetch the images themselves: git lfs pull")
      } else if bytes.first == 0x3C {
        ("is a web page or another text with marks, not an image", "Download it again")
      } else if let format = otherFormat(signature: bytes) {
        ("is a \(format) image; JPEG and PNG are read", "Convert it")
      } else {
        ("does not begin as an image; JPEG and PNG are read", "Replace it")
      }
    return FileFailure(.unsupported, path: path, reason: "\(reason). \(advice), or take it out of the folder")
  }
}
