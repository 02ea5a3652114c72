/// Writes samples into a batch: moves, mirrors and normalizes in one pass over the bytes.
struct SampleWriter: Sendable {
  /// The side of the square images.
  let resolution: Int
  /// The channels of the images.
  let channels: Int
  /// 256 normalized values a channel.
  let table: [Float]
  /// Elements between neighbouring pixels of the output.
  private let pixelStride: Int
  /// Elements between neighbouring channels of the output.
  private let channelStride: Int

  /// Creates a writer of `[H, W, C]` (channels last) or `[C, H, W]`.
  init(resolution: Int, normalization: Normalization, channelsLast: Bool) {
    self.resolution = resolution
    channels = normalization.channels
    table = normalization.table()
    pixelStride = channelsLast ? channels : 1
    channelStride = channelsLast ? 1 : resolution * resolution
  }

  /// The elements of one image.
  var length: Int { resolution * resolution * channels }

  /// Writes one image.
  ///
  /// What the image is moved away from becomes black, that is the normalized value of 0: PyTorch pads before it
  /// normalizes.
  ///
  /// - Parameters:
  ///   - pixels: `[H, W, C]` bytes, ``length`` of them.
  ///   - output: ``length`` elements.
  func write(
    _ pixels: UnsafeBufferPointer<UInt8>, _ geometry: SampleGeometry, to output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(pixels.count == length && output.count == length, "an image has \(length) samples")
    guard let source = pixels.baseAddress, let target = output.baseAddress else { return }
    let (shiftX, shiftY) = geometry.offset
    // Output columns that have an image column under them, before mirroring.
    let first = min(resolution, max(0, -shiftX))
    let last = max(first, min(resolution, resolution - shiftX))
    table.withUnsafeBufferPointer { table in
      for channel in 0..<channels {
        let values = UnsafeBufferPointer(rebasing: table[channel * 256..<channel * 256 + 256]).baseAddress!
        let plane = target + channel * channelStride
        for row in 0..<resolution {
          var column = plane + (row * resolution + (geometry.isFlipped ? resolution - 1 : 0)) * pixelStride
          let step = geometry.isFlipped ? -pixelStride : pixelStride
          let sourceRow = row + shiftY
          guard sourceRow >= 0, sourceRow < resolution else {
            for _ in 0..<resolution {
              column.pointee = values[0]
              column += step
            }
            continue
          }
          for _ in 0..<first {
            column.pointee = values[0]
            column += step
          }
          var sample = source + (sourceRow * resolution + first + shiftX) * channels + channel
          for _ in first..<last {
            column.pointee = values[Int(sample.pointee)]
            column += step
            sample += channels
          }
          for _ in last..<resolution {
            column.pointee = values[0]
            column += step
          }
        }
      }
    }
  }
}
