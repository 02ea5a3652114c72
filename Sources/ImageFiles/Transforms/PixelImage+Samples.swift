extension PixelImage {
  /// An image of the same size and channels whose samples `write` computes; it gets these samples and writes every new one.
  @inline(__always)
  func replacingSamples(
    _ write: (_ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>) -> Void
  ) -> PixelImage {
    let samples = [UInt8](unsafeUninitializedCapacity: pixels.count) { output, initialized in
      pixels.withUnsafeBufferPointer { write($0, output) }
      initialized = pixels.count
    }
    return PixelImage(width: width, height: height, channels: channels, pixels: samples)
  }
}
