import CTurboJPEG
import Support

/// Decodes JPEG by libturbojpeg.
///
/// A file that ends too early is an error. Lesser damage, about which libjpeg only warns, is let pass as Pillow does: a
/// few images of ImageNet have stray bytes between segments.
struct JPEGDecoder {
  let path: String

  private struct Header {
    var size: ImageSize
    var isCMYK: Bool
  }

  // A block of 8×8 pixels costs at least one bit with Huffman coding; this leaves room for unusual sampling.
  private static let pixelsPerByte = 4096

  /// The size that the header declares.
  func size(of bytes: [UInt8]) throws -> ImageSize {
    try withHandle { try readHeader(bytes, $0).size }
  }

  /// Decodes to 1 or 3 channels, at 1/2, 1/4 or 1/8 of the size where `reduction` allows.
  func decode(_ bytes: [UInt8], channels: Int, reducedBy reduction: (ImageSize) -> Int) throws -> PixelImage {
    try withHandle { handle in
      let header = try readHeader(bytes, handle)
      let allowed = reduction(header.size)
      let divisor = [8, 4, 2].first { $0 <= allowed } ?? 1
      let size = ImageSize(
        width: (header.size.width + divisor - 1) / divisor, height: (header.size.height + divisor - 1) / divisor)
      if header.isCMYK {
        let samples = try decompress(bytes, handle, size: size, format: TJPF_CMYK, bytesPerPixel: 4)
        return rgb(fromInvertedCMYK: samples, size: size).converted(toChannels: channels)
      }
      let format = channels == 1 ? TJPF_GRAY : TJPF_RGB
      let samples = try decompress(bytes, handle, size: size, format: format, bytesPerPixel: channels)
      return PixelImage(width: size.width, height: size.height, channels: channels, pixels: samples)
    }
  }

  private func withHandle<Result>(_ body: (tjhandle) throws -> Result) throws -> Result {
    guard let handle = tjInitDecompress() else {
      throw FileFailure(.io, path: path, reason: "the JPEG decoder cannot be started (out of memory?)")
    }
    defer { tjDestroy(handle) }
    return try body(handle)
  }

  private func readHeader(_ bytes: [UInt8], _ handle: tjhandle) throws -> Header {
    var (width, height, subsampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
    let status = tjDecompressHeader3(
      handle, bytes, UInt(bytes.count), &width, &height, &subsampling, &space)
    // libturbojpeg reports a sampling that it has no name for as an error, yet decodes such files.
    let isFatal = status != 0 && tjGetErrorCode(handle) == TJERR_FATAL.rawValue && subsampling >= 0
    guard !isFatal, width > 0, height > 0 else { throw failure(handle, "the header cannot be read") }
    try ImageLimits.check(
      width: Int(width), height: Int(height), pixelsPerByte: Self.pixelsPerByte, fileBytes: bytes.count, path: path)
    return Header(
      size: ImageSize(width: Int(width), height: Int(height)),
      isCMYK: space == Int32(TJCS_CMYK.rawValue) || space == Int32(TJCS_YCCK.rawValue))
  }

  private func decompress(
    _ bytes: [UInt8], _ handle: tjhandle, size: ImageSize, format: TJPF, bytesPerPixel: Int
  ) throws -> [UInt8] {
    let count = size.width * size.height * bytesPerPixel
    // More than 500 progressive scans are refused: such files are made to keep a decoder busy.
    let flags = TJFLAG_LIMITSCANS
    return try [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      let status = tjDecompress2(
        handle, bytes, UInt(bytes.count), output.baseAddress, Int32(size.width), 0, Int32(size.height),
        Int32(format.rawValue), flags)
      guard status == 0 || isTolerated(handle) else { throw failure(handle, "the image cannot be decoded") }
      initialized = count
    }
  }

  /// Adobe's CMYK is stored inverted, so red is cyan times black.
  private func rgb(fromInvertedCMYK samples: [UInt8], size: ImageSize) -> PixelImage {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(size.width * size.height * 3)
    for start in stride(from: 0, to: samples.count, by: 4) {
      let black = UInt32(samples[start + 3])
      for channel in 0..<3 { pixels.append(UInt8((UInt32(samples[start + channel]) * black + 127) / 255)) }
    }
    return PixelImage(width: size.width, height: size.height, channels: 3, pixels: pixels)
  }

  // All pixels were written, though some may be wrong. The code alone does not say so: libturbojpeg 2.1 calls an error
  // that ends decoding a warning too when a warning came before it. The message is then that of the error, so only the
  // texts of libjpeg's warnings count; "Premature end of JPEG file" is left out on purpose.
  private func isTolerated(_ handle: tjhandle) -> Bool {
    let warnings = [
      "Corrupt JPEG data: ", "Inconsistent progression sequence", "Invalid SOS parameters for sequential JPEG",
      "Unknown Adobe color transform code", "Warning: unknown JFIF revision number",
    ]
    let text = errorText(handle)
    return tjGetErrorCode(handle) == TJERR_WARNING.rawValue && warnings.contains(where: text.hasPrefix)
  }

  private func errorText(_ handle: tjhandle) -> String { String(cString: tjGetErrorStr2(handle)) }

  private func failure(_ handle: tjhandle, _ what: String) -> FileFailure {
    FileFailure(.badData, path: path, reason: "as JPEG, \(what) (\(errorText(handle)))")
  }
}
