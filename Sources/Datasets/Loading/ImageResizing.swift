import Torch

/// Resizing by LibTorch: bilinear, antialiased, on bytes; the same pixels as torchvision's.
enum ImageResizing {
  /// Images of one size, `[count, height, width, channels]`, resized to `target`.
  static func resized(
    _ pixels: [UInt8], count: Int, channels: Int, from size: ImageSize, to target: ImageSize
  ) throws -> [UInt8] {
    if size == target { return pixels }
    let input = try pixels.withUnsafeBytes {
      try Tensor(channelsLastBytes: $0, shape: [count, channels, size.height, size.width], scalarType: .uint8)
    }
    let output = try input.resizedBilinear(height: target.height, width: target.width)
    // [N, C, H, W] → [N, H, W, C]
    return try output.permuted([0, 2, 3, 1]).array()
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
