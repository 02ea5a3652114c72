import CJPEG
import CSPNG
import CZlib
import Foundation
import Testing

@testable import ImageFiles
@testable import Loading

/// The bytes of an IDX file.
func idx(shape: [Int], _ elements: [UInt8]) -> [UInt8] {
  [0, 0, 8, UInt8(shape.count)] + shape.flatMap { bigEndian($0) } + elements
}

/// The four bytes of a number, the highest first.
func bigEndian(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

/// The gzip-compressed form of `bytes`, made through a file in `folder`.
func gzip(_ bytes: [UInt8], in folder: String) throws -> [UInt8] {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  let path = folder + "/gzip-scratch"
  defer { try? FileManager.default.removeItem(atPath: path) }
  let file = try #require(gzopen(path, "wb"))
  #expect(gzwrite(file, bytes, UInt32(bytes.count)) == Int32(bytes.count))
  gzclose(file)
  return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// A test image whose samples vary smoothly with place and channel.
func gradient(width: Int, height: Int, channels: Int = 3, phase: Int = 0) -> PixelImage {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      for channel in 0..<channels {
        pixels.append(UInt8((x * (200 / width) + y * (40 / max(1, height)) * channel + 13 * phase) & 0xFF))
      }
    }
  }
  return PixelImage(width: width, height: height, channels: channels, pixels: pixels)
}

/// A JPEG file of samples of 1 (grey), 3 (RGB) or 4 (inverted CMYK) bytes a pixel.
///
/// - Parameters:
///   - sampling: Luminance samples a chrominance sample, across and down.
///   - exif: The content of an EXIF segment.
func jpeg(
  _ samples: [UInt8], width: Int, height: Int, channels: Int = 3, sampling: (Int32, Int32) = (1, 1),
  quality: Int32 = 95, progressive: Bool = false, exif: [UInt8]? = nil
) throws -> [UInt8] {
  try (exif ?? []).withUnsafeBufferPointer { segment in
    let encoding = cj_encoding(
      quality: quality, horizontal: sampling.0, vertical: sampling.1, progressive: progressive ? 1 : 0,
      exif: exif == nil ? nil : segment.baseAddress, exif_count: segment.count)
    var count = 0
    let bytes = try #require(cj_encode(samples, Int32(width), Int32(height), Int32(channels), encoding, &count))
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}

/// A JPEG file of `image`.
func jpeg(
  _ image: PixelImage, sampling: (Int32, Int32) = (1, 1), quality: Int32 = 95, progressive: Bool = false,
  exif: [UInt8]? = nil
) throws -> [UInt8] {
  try jpeg(
    image.pixels, width: image.width, height: image.height, channels: image.channels, sampling: sampling,
    quality: quality, progressive: progressive, exif: exif)
}

/// The content of an EXIF segment that holds an orientation, behind another entry, in either byte order.
func exif(orientation: Int, littleEndian: Bool = true) -> [UInt8] {
  func number(_ value: Int, _ size: Int) -> [UInt8] {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return littleEndian ? bytes : bytes.reversed()
  }
  let other = number(0x0100, 2) + number(4, 2) + number(1, 4) + number(640, 4)
  let entry = number(0x0112, 2) + number(3, 2) + number(1, 4) + number(orientation, 2) + number(0, 2)
  return Array((littleEndian ? "II" : "MM").utf8) + number(42, 2) + number(8, 4) + number(2, 2) + other + entry
    + number(0, 4)
}

/// A PNG file of samples that lie as the colour type and bit depth say.
func png(
  _ samples: [UInt8], width: Int, height: Int, colorType: spng_color_type, bitDepth: UInt8 = 8,
  interlaced: Bool = false,
  palette: [(UInt8, UInt8, UInt8)] = []
) throws -> [UInt8] {
  let context = try #require(spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)))
  defer { spng_ctx_free(context) }
  try #require(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1) == 0)
  var header = spng_ihdr(
    width: UInt32(width), height: UInt32(height), bit_depth: bitDepth, color_type: UInt8(colorType.rawValue),
    compression_method: 0, filter_method: 0, interlace_method: interlaced ? 1 : 0)
  try #require(spng_set_ihdr(context, &header) == 0)
  if !palette.isEmpty {
    var chunk = spng_plte()
    chunk.n_entries = UInt32(palette.count)
    withUnsafeMutablePointer(to: &chunk.entries) { pointer in
      pointer.withMemoryRebound(to: spng_plte_entry.self, capacity: 256) { entries in
        for (index, color) in palette.enumerated() {
          entries[index] = spng_plte_entry(red: color.0, green: color.1, blue: color.2, alpha: 255)
        }
      }
    }
    try #require(spng_set_plte(context, &chunk) == 0)
  }
  let status = spng_encode_image(
    context, samples, samples.count, Int32(SPNG_FMT_PNG.rawValue), Int32(SPNG_ENCODE_FINALIZE.rawValue))
  try #require(status == 0, "\(String(cString: spng_strerror(status)))")
  var size = 0
  var error: Int32 = 0
  let output = try #require(spng_get_png_buffer(context, &size, &error))
  defer { free(output) }
  return Array(UnsafeRawBufferPointer(start: output, count: size))
}

/// A PNG file of `image`.
func png(_ image: PixelImage) throws -> [UInt8] {
  try png(
    image.pixels, width: image.width, height: image.height,
    colorType: image.channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR)
}

/// `file` with other sizes in its IHDR chunk, whose checksum is made right again.
func pngDeclaring(width: Int, height: Int, _ file: [UInt8]) -> [UInt8] {
  var file = file
  file.replaceSubrange(16..<24, with: bigEndian(width) + bigEndian(height))
  file.replaceSubrange(29..<33, with: bigEndian(Int(crc32(0, Array(file[12..<29]), 17))))
  return file
}

/// `file` with other sizes in its frame header.
func jpegDeclaring(width: Int, height: Int, _ file: [UInt8]) throws -> [UInt8] {
  var file = file
  let marker = try #require(file.indices.dropLast().first { file[$0] == 0xFF && file[$0 + 1] == 0xC0 })
  file.replaceSubrange(
    marker + 5..<marker + 9,
    with: [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)])
  return file
}

/// Grey images, each a constant, and labels that go round: the simplest source.
func constantImages(count: Int, side: Int = 4, classes: Int = 3, channels: Int = 1) -> InMemoryImages {
  InMemoryImages(
    name: "constants", size: ImageSize(width: side, height: side), channels: channels,
    classNames: (0..<classes).map { "class\($0)" }, labels: (0..<count).map { $0 % classes },
    pixels: (0..<count).flatMap { [UInt8](repeating: UInt8($0 & 0xFF), count: side * side * channels) })
}
