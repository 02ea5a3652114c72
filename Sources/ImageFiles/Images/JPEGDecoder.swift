import CJPEG
import Support

/// Decodes JPEG by libjpeg-turbo, and of it only what is asked for: blocks beside the wanted part are not transformed, rows behind
/// it not even read.
///
/// A file that ends too early, or in which markers lie that do not belong there, is an error whichever part is asked for, as it is for
/// Pillow. Lesser damage, about which libjpeg only warns, is let pass as Pillow does: a few images of ImageNet have stray bytes
/// between segments.
struct JPEGDecoder {
  let path: String
  let limits: ImageLimits

  private struct Header {
    var size: ImageSize
    var isCMYK: Bool
    var orientation: Orientation
  }

  // A block of 8×8 pixels costs at least one bit with Huffman coding; this leaves room for unusual sampling.
  private static let pixelsPerByte = 4096

  /// The size that the image has when it is looked at.
  func size(of bytes: UnsafeRawBufferPointer) throws -> ImageSize {
    try open(bytes) { _, header in header.orientation.upright(header.size) }
  }

  /// Decodes to 1 or 3 channels, at 1/2, 1/4 or 1/8 of the size where the request allows.
  func decode(
    _ bytes: UnsafeRawBufferPointer, channels: Int, as request: (ImageSize) -> ImageRequest
  ) throws -> PixelImage {
    try open(bytes) { decoder, header in
      let wanted = request(header.orientation.upright(header.size))
      let divisor = [8, 4, 2].first { $0 <= wanted.divisor } ?? 1
      func reduced(_ length: Int) -> Int { (length + divisor - 1) / divisor }
      let size = ImageSize(width: reduced(header.size.width), height: reduced(header.size.height))
      var stored = wanted
      stored.region = header.orientation.stored(wanted.region, in: header.size)
      let part = stored.region(in: header.size, reducedTo: size)
      let image =
        header.isCMYK
        ? rgb(fromInvertedCMYK: try decode(decoder, divisor, part, channels: 4), part).converted(toChannels: channels)
        : PixelImage(
          width: part.width, height: part.height, channels: channels,
          pixels: try decode(decoder, divisor, part, channels: channels))
      return header.orientation.upright(image)
    }
  }

  /// What is damaged in an image that is read all the same; nil when nothing is.
  func damage(_ bytes: UnsafeRawBufferPointer) throws -> String? {
    try open(bytes) { decoder, header in
      let whole = PixelRectangle(left: 0, top: 0, width: header.size.width, height: header.size.height)
      _ = try decode(decoder, 1, whole, channels: header.isCMYK ? 4 : 3)
      let text = String(cString: cj_warning(decoder))
      return text.isEmpty ? nil : text
    }
  }

  private func open<Result>(
    _ bytes: UnsafeRawBufferPointer, _ body: (OpaquePointer, Header) throws -> Result
  ) throws -> Result {
    guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else {
      throw FileFailure(.badData, path: path, reason: "the file is empty")
    }
    var header = cj_header()
    var failed: Int32 = 0
    guard let decoder = cj_open(start, bytes.count, &header, &failed) else {
      throw FileFailure(.io, path: path, reason: "the JPEG decoder cannot be started (out of memory?)")
    }
    defer { cj_close(decoder) }
    guard failed == 0 else { throw failure(decoder, "the header cannot be read") }
    let size = ImageSize(width: Int(header.width), height: Int(header.height))
    try limits.check(size, pixelsPerByte: Self.pixelsPerByte, fileBytes: bytes.count, path: path)
    let exif = header.exif.map { UnsafeBufferPointer(start: $0, count: header.exif_count) }
    let xmp = header.xmp.map { UnsafeBufferPointer(start: $0, count: header.xmp_count) }
    return try body(
      decoder, Header(size: size, isCMYK: header.is_cmyk != 0, orientation: Orientation(exif: exif, xmp: xmp)))
  }

  private func decode(
    _ decoder: OpaquePointer, _ divisor: Int, _ part: PixelRectangle, channels: Int
  ) throws -> [UInt8] {
    let count = part.width * part.height * channels
    let region = cj_region(
      left: Int32(part.left), top: Int32(part.top), width: Int32(part.width), height: Int32(part.height))
    return try [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      guard cj_decode(decoder, Int32(divisor), Int32(channels), region, output.baseAddress!) == 0 else {
        throw failure(decoder, "the image cannot be decoded")
      }
      initialized = count
    }
  }

  /// Adobe's CMYK is stored inverted, so red is cyan times black.
  private func rgb(fromInvertedCMYK samples: [UInt8], _ part: PixelRectangle) -> PixelImage {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(part.width * part.height * 3)
    for start in stride(from: 0, to: samples.count, by: 4) {
      let black = UInt32(samples[start + 3])
      for channel in 0..<3 { pixels.append(UInt8((UInt32(samples[start + channel]) * black + 127) / 255)) }
    }
    return PixelImage(width: part.width, height: part.height, channels: 3, pixels: pixels)
  }

  private func failure(_ decoder: OpaquePointer, _ what: String) -> FileFailure {
    FileFailure(.badData, path: path, reason: "as JPEG, \(what) (\(String(cString: cj_message(decoder))))")
  }
}
