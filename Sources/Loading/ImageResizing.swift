import ImageFiles
import Torch

/// Resizing by LibTorch: bilinear, antialiased, on bytes; the same pixels as torchvision's.
enum ImageResizing {
  /// Images of one size, `[count, height, width, channels]`, resized to `target`.
  static func resized(
    _ pixels: [UInt8], count: Int, channels: Int, from size: ImageSize, to target: ImageSize
  ) throws -> [UInt8] {
    if size == target { return pixels }
    let length = count * target.width * target.height * channels
    return try [UInt8](unsafeUninitializedCapacity: length) { output, initialized in
      try pixels.withUnsafeBufferPointer { input in
        try ByteImages.resize(
          input.baseAddress!, count: count, height: size.height, width: size.width, channels: channels,
          newHeight: target.height, newWidth: target.width, to: output.baseAddress!)
      }
      initialized = length
    }
  }
}

extension PixelImage {
  /// This image resized to `target`.
  func resized(to target: ImageSize) throws -> PixelImage {
    PixelImage(
      width: target.width, height: target.height, channels: channels,
      pixels: try ImageResizing.resized(pixels, count: 1, channels: channels, from: size, to: target))
  }
}
