import CSPNG
import Support

/// Decodes PNG by libspng: every colour type and bit depth, interlaced or not.
///
/// Alpha is dropped, not composited, and gamma is ignored, as Pillow's `convert("RGB")` does: training and evaluation in
/// PyTorch see the same pixels. Of 16-bit samples the upper 8 bits are kept.
struct PNGDecoder {
  let path: String
  let limits: ImageLimits

  private struct Header {
    var size: ImageSize
    var orientation: Orientation
  }

  // Deflate makes at most 1032 bytes out of one, and a pixel may take one bit.
  private static let pixelsPerByte = 1032 * 8

  /// The size that the image has when it is looked at.
  func size(of bytes: UnsafeRawBufferPointer) throws -> ImageSize {
    try open(bytes) { _, header in header.orientation.upright(header.size) }
  }

  /// Decodes to 1 or 3 channels. All rows are decoded, whichever part is asked for.
  func decode(
    _ bytes: UnsafeRawBufferPointer, channels: Int, as request: (ImageSize) -> ImageRequest
  ) throws -> PixelImage {
    try open(bytes) { context, header in
      let wanted = request(header.orientation.upright(header.size))
      let count = header.size.width * header.size.height * 3
      let pixels = try [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
        try check(spng_decode_image(context, output.baseAddress, count, Int32(SPNG_FMT_RGB8.rawValue), 0))
        initialized = count
      }
      let image = PixelImage(width: header.size.width, height: header.size.height, channels: 3, pixels: pixels)
      let part = image.cropped(to: header.orientation.stored(wanted.region, in: header.size))
      return header.orientation.upright(part.converted(toChannels: channels))
    }
  }

  private func open<Result>(
    _ bytes: UnsafeRawBufferPointer, _ body: (OpaquePointer, Header) throws -> Result
  ) throws -> Result {
    guard let context = spng_ctx_new(0) else {
      throw FileFailure(.io, path: path, reason: "the PNG decoder cannot be started (out of memory?)")
    }
    defer { spng_ctx_free(context) }
    try check(spng_set_chunk_limits(context, ImageLimits.chunkBytes, ImageLimits.chunkBytes))
    try check(spng_set_png_buffer(context, bytes.baseAddress, bytes.count))
    var header = spng_ihdr()
    try check(spng_get_ihdr(context, &header))
    let size = ImageSize(width: Int(header.width), height: Int(header.height))
    try limits.check(size, pixelsPerByte: Self.pixelsPerByte, fileBytes: bytes.count, path: path)
    return try body(context, Header(size: size, orientation: PNGMetadata(bytes).orientation))
  }

  private func check(_ status: Int32) throws {
    guard status == 0 else {
      throw FileFailure(
        .badData, path: path, reason: "as PNG, the image cannot be decoded (\(String(cString: spng_strerror(status))))")
    }
  }
}
