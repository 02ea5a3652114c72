import CSPNG
import Support

/// Decodes PNG by libspng: every colour type and bit depth, interlaced or not.
///
/// Alpha is dropped, not composited, and gamma is ignored, as Pillow's `convert("RGB")` does: training and evaluation in
/// PyTorch see the same pixels. Of 16-bit samples the upper 8 bits are kept.
struct PNGDecoder {
  let path: String

  // Deflate makes at most 1032 bytes out of one, and a pixel may take one bit.
  private static let pixelsPerByte = 1032 * 8

  /// The size that the header declares.
  func size(of bytes: [UInt8]) throws -> ImageSize {
    try withContext(bytes) { try readHeader($0, fileBytes: bytes.count) }
  }

  /// Decodes to 1 or 3 channels.
  func decode(_ bytes: [UInt8], channels: Int) throws -> PixelImage {
    try withContext(bytes) { context in
      let size = try readHeader(context, fileBytes: bytes.count)
      let count = size.width * size.height * 3
      let pixels = try [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
        try check(spng_decode_image(context, output.baseAddress, count, Int32(SPNG_FMT_RGB8.rawValue), 0))
        initialized = count
      }
      let image = PixelImage(width: size.width, height: size.height, channels: 3, pixels: pixels)
      return image.converted(toChannels: channels)
    }
  }

  private func withContext<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) throws -> Result) throws -> Result {
    guard let context = spng_ctx_new(0) else {
      throw FileFailure(.io, path: path, reason: "the PNG decoder cannot be started (out of memory?)")
    }
    defer { spng_ctx_free(context) }
    return try bytes.withUnsafeBytes { buffer in
      try check(spng_set_chunk_limits(context, ImageLimits.chunkBytes, ImageLimits.chunkBytes))
      try check(spng_set_png_buffer(context, buffer.baseAddress, buffer.count))
      return try body(context)
    }
  }

  private func readHeader(_ context: OpaquePointer, fileBytes: Int) throws -> ImageSize {
    var header = spng_ihdr()
    try check(spng_get_ihdr(context, &header))
    let (width, height) = (Int(header.width), Int(header.height))
    try ImageLimits.check(
      width: width, height: height, pixelsPerByte: Self.pixelsPerByte, fileBytes: fileBytes, path: path)
    return ImageSize(width: width, height: height)
  }

  private func check(_ status: Int32) throws {
    guard status == 0 else {
      throw FileFailure(
        .badData, path: path, reason: "as PNG, the image cannot be decoded (\(String(cString: spng_strerror(status))))")
    }
  }
}
