extension PixelImage {
  /// Reads and decodes a JPEG or PNG file; which of the two is told from its first bytes.
  ///
  /// The image is turned as its EXIF orientation says.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - channels: 1 or 3; the image is converted.
  ///   - limits: what its header may declare.
  ///   - request: gets the full size and says which part is wanted; JPEG is decoded at 1/2, 1/4 or 1/8 where that is enough.
  /// - Throws: ``Support/FileFailure`` naming the file and the reason.
  public static func decode(
    path: String, channels: Int, limits: ImageLimits = .init(),
    as request: (ImageSize) -> ImageRequest = { .whole($0) }
  ) throws -> PixelImage {
    let bytes = try FileBytes.read(path: path, limit: ImageLimits.fileBytes)
    return try decode(bytes: bytes, path: path, channels: channels, limits: limits, as: request)
  }

  /// Decodes the content of a JPEG or PNG file; `path` names it in messages.
  public static func decode(
    bytes: [UInt8], path: String, channels: Int, limits: ImageLimits = .init(),
    as request: (ImageSize) -> ImageRequest = { .whole($0) }
  ) throws -> PixelImage {
    try bytes.withUnsafeBytes {
      try decode(bytes: $0, path: path, channels: channels, limits: limits, as: request)
    }
  }

  /// Decodes the content of a JPEG or PNG file where it lies in memory.
  package static func decode(
    bytes: UnsafeRawBufferPointer, path: String, channels: Int, limits: ImageLimits,
    as request: (ImageSize) -> ImageRequest
  ) throws -> PixelImage {
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, not \(channels)")
    func checked(_ size: ImageSize) -> ImageRequest {
      let wanted = request(size)
      precondition(wanted.region.lies(within: size), "\(wanted.region) is not within \(size)")
      return wanted
    }
    switch ImageCodec(signature: bytes) {
    case .jpeg: return try JPEGDecoder(path: path, limits: limits).decode(bytes, channels: channels, as: checked)
    case .png: return try PNGDecoder(path: path, limits: limits).decode(bytes, channels: channels, as: checked)
    case nil: throw ImageCodec.unsupported(path: path, signature: Array(bytes.prefix(16)))
    }
  }

  /// Decodes all of an image, to find out what is wrong with it.
  ///
  /// - Returns: What is damaged in an image that is read all the same; nil when nothing is.
  package static func damage(bytes: UnsafeRawBufferPointer, path: String, limits: ImageLimits) throws -> String? {
    if ImageCodec(signature: bytes) == .jpeg { return try JPEGDecoder(path: path, limits: limits).damage(bytes) }
    _ = try decode(bytes: bytes, path: path, channels: 3, limits: limits) { .whole($0) }
    return nil
  }

  /// The size of a JPEG or PNG file's image when it is looked at, by the file's header.
  package static func declaredSize(path: String, limits: ImageLimits) throws -> ImageSize {
    let bytes = try FileBytes.read(path: path, limit: ImageLimits.fileBytes)
    return try bytes.withUnsafeBytes { try declaredSize(bytes: $0, path: path, limits: limits) }
  }

  /// The size of an image when it is looked at, by its header; `path` names it in messages.
  package static func declaredSize(bytes: UnsafeRawBufferPointer, path: String, limits: ImageLimits) throws -> ImageSize
  {
    switch ImageCodec(signature: bytes) {
    case .jpeg: return try JPEGDecoder(path: path, limits: limits).size(of: bytes)
    case .png: return try PNGDecoder(path: path, limits: limits).size(of: bytes)
    case nil: throw ImageCodec.unsupported(path: path, signature: Array(bytes.prefix(16)))
    }
  }
}
