/// Writes samples into a batch: moves and mirrors them, and turns bytes into other values, in one pass over the bytes.
package struct SampleWriter: Sendable {
  /// The side of the square images.
  package let resolution: Int
  /// The channels of the images.
  package let channels: Int
  /// Elements between neighbouring pixels of the output.
  private let pixelStride: Int
  /// Elements between neighbouring channels of the output.
  private let channelStride: Int

  /// Creates a writer of `[H, W, C]` (channels last) or `[C, H, W]`.
  package init(resolution: Int, channels: Int, channelsLast: Bool) {
    self.resolution = resolution
    self.channels = channels
    pixelStride = channelsLast ? channels : 1
    channelStride = channelsLast ? 1 : resolution * resolution
  }

  /// The elements of one image.
  package var length: Int { resolution * resolution * channels }

  /// Writes one image.
  ///
  /// What the image is moved away from becomes black, that is the value of 0: PyTorch pads before it normalizes.
  ///
  /// - Parameters:
  ///   - pixels: `[H, W, C]` bytes, ``length`` of them.
  ///   - table: What each of the 256 sample values becomes, 256 entries a channel.
  ///   - output: ``length`` elements.
  package func write<Value>(
    _ pixels: UnsafeBufferPointer<UInt8>, _ geometry: SampleGeometry, _ table: [Value],
    to output: UnsafeMutableBufferPointer<Value>
  ) {
    precondition(
      pixels.count == length && output.count == length && table.count == 256 * channels,
      "an image has \(length) samples")
    guard let source = pixels.baseAddress, let target = output.baseAddress else { return }
    let (shiftX, shiftY) = geometry.offset
    // Output columns that have an image column under them, before mirroring.
    let first = min(resolution, max(0, -shiftX))
    let last = max(first, min(resolution, resolution - shiftX))
    let step = geometry.isFlipped ? -pixelStride : pixelStride
    table.withUnsafeBufferPointer { table in
      let values = table.baseAddress!
      for row in 0..<resolution {
        let begin = target + (row * resolution + (geometry.isFlipped ? resolution - 1 : 0)) * pixelStride
        let sourceRow = row + shiftY
        guard sourceRow >= 0, sourceRow < resolution else {
          fill(begin, 0..<resolution, step, values)
          continue
        }
        fill(begin, 0..<first, step, values)
        copy(source + (sourceRow * resolution + first + shiftX) * channels, begin, first..<last, step, values)
        fill(begin, last..<resolution, step, values)
      }
    }
  }

  private func fill<Value>(
    _ row: UnsafeMutablePointer<Value>, _ columns: Range<Int>, _ step: Int, _ values: UnsafePointer<Value>
  ) {
    for column in columns {
      for channel in 0..<channels { row[column * step + channel * channelStride] = values[channel * 256] }
    }
  }

  @inline(__always)
  private func copy<Value>(
    _ pixels: UnsafePointer<UInt8>, _ row: UnsafeMutablePointer<Value>, _ columns: Range<Int>, _ step: Int,
    _ values: UnsafePointer<Value>
  ) {
    var (sample, place) = (pixels, row + columns.lowerBound * step)
    // Colour by three lookups without an inner loop: nearly all batches are that.
    if channels == 3 {
      let (second, third) = (channelStride, 2 * channelStride)
      for _ in columns {
        place[0] = values[Int(sample[0])]
        place[second] = values[256 + Int(sample[1])]
        place[third] = values[512 + Int(sample[2])]
        sample += 3
        place += step
      }
    } else {
      for _ in columns {
        place[0] = values[Int(sample[0])]
        sample += 1
        place += step
      }
    }
  }
}
