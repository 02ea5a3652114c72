import CSPNG
import CTurboJPEG
import CZlib
import Foundation
import Support
import Testing

@testable import Datasets

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

/// A JPEG file; `format` says how `samples` lie.
func jpeg(
  _ samples: [UInt8], width: Int, height: Int, format: TJPF = TJPF_RGB, sampling: TJSAMP = TJSAMP_444,
  quality: Int32 = 95, flags: Int32 = 0
) throws -> [UInt8] {
  let handle = try #require(tjInitCompress())
  defer { tjDestroy(handle) }
  var output: UnsafeMutablePointer<UInt8>?
  var size: UInt = 0
  let status = tjCompress2(
    handle, samples, Int32(width), 0, Int32(height), Int32(format.rawValue), &output, &size, Int32(sampling.rawValue),
    quality, flags)
  defer { tjFree(output) }
  try #require(status == 0, "\(String(cString: tjGetErrorStr2(handle)))")
  return Array(UnsafeBufferPointer(start: output, count: Int(size)))
}

/// A JPEG file of `image`.
func jpeg(_ image: PixelImage, quality: Int32 = 95) throws -> [UInt8] {
  try jpeg(
    image.pixels, width: image.width, height: image.height, format: image.channels == 1 ? TJPF_GRAY : TJPF_RGB,
    sampling: image.channels == 1 ? TJSAMP_GRAY : TJSAMP_444, quality: quality)
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
