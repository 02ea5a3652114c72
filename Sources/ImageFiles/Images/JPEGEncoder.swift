import CJPEG
import Foundation
import Support

/// Encodes JPEG by libjpeg-turbo.
package struct JPEGEncoder: Hashable, Sendable {
  /// 1 (smallest files) to 100.
  package var quality = 90

  /// The file of an image: grey, or colour with chrominance at half the resolution (4:2:0), as photographs usually are.
  package func encode(_ image: PixelImage, path: String) throws -> [UInt8] {
    var count = 0
    let encoding = cj_encoding(
      quality: Int32(quality), horizontal: 2, vertical: 2, progressive: 0, exif: nil, exif_count: 0)
    guard
      let bytes = cj_encode(
        image.pixels, Int32(image.width), Int32(image.height), Int32(image.channels), encoding, &count)
    else {
      throw FileFailure(.badData, path: path, reason: "an image of \(image.size) cannot be encoded as JPEG")
    }
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}
