import CTorch

/// Resizing of images that lie in memory as bytes, without tensors around them.
public enum ByteImages {
  /// Resizes images `[count, height, width, channels]`, bilinear with antialiasing, as torchvision does.
  ///
  /// - Parameters:
  ///   - input: `count * height * width * channels` bytes.
  ///   - output: `count * newHeight * newWidth * channels` bytes, which are overwritten.
  public static func resize(
    _ input: UnsafePointer<UInt8>, count: Int, height: Int, width: Int, channels: Int, newHeight: Int, newWidth: Int,
    to output: UnsafeMutablePointer<UInt8>
  ) throws {
    try check(
      ct_resize_bytes(
        input, Int64(count), Int64(height), Int64(width), Int64(channels), Int64(newHeight), Int64(newWidth), output),
      "resize")
  }
}
