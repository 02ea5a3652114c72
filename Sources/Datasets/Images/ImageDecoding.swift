import Support

extension PixelImage {
  /// Reads and decodes a JPEG or PNG file; which of the two is told from its first bytes.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - channels: 1 or 3; the image is converted.
  ///   - reduction: gets the full size, returns the largest useful divisor. JPEG is decoded at 1/2, 1/4 or 1/8 for less work.
  /// - Throws: ``Support/FileFailure`` naming the file and the reason.
  public static func decode(
    path: String, channels: Int, reducedBy reduction: (ImageSize) -> Int = { _ in 1 }
  ) throws -> PixelImage {
    let bytes = try FileBytes.read(path: path, limit: ImageLimits.fileBytes)
    return try decode(bytes: bytes, path: path, channels: channels, reducedBy: reduction)
  }

  /// Decodes the content of a JPEG or PNG file; `path` names it in messages.
  static func decode(
    bytes: [UInt8], path: String, channels: Int, reducedBy reduction: (ImageSize) -> Int = { _ in 1 }
  ) throws -> PixelImage {
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, not \(channels)")
    switch ImageCodec(signature: bytes) {
    case .jpeg:
      return try JPEGDecoder(path: path).decode(bytes, channels: channels, reducedBy: reduction)
    case .png:
      let image = try PNGDecoder(path: path).decode(bytes, channels: channels)
      _ = reduction(image.size)
      return image
    case nil:
      throw ImageCodec.unsupported(path: path, signature: Array(bytes.prefix(16)))
    }
  }

  /// The size that the header of a JPEG or PNG file declares.
  static func declaredSize(path: String) throws -> ImageSize {
    try declaredSize(bytes: try FileBytes.read(path: path, limit: ImageLimits.fileBytes), path: path)
  }

  /// The size that the header of an image declares; `path` names it in messages.
  static func declaredSize(bytes: [UInt8], path: String) throws -> ImageSize {
    switch ImageCodec(signature: bytes) {
    case .jpeg: return try JPEGDecoder(path: path).size(of: bytes)
    case .png: return try PNGDecoder(path: path).size(of: bytes)
    case nil: throw ImageCodec.unsupported(path: path, signature: Array(bytes.prefix(16)))
    }
  }
}
