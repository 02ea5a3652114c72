/// The images of a loader, decoded and resized once, as bytes: `[indices.count, resolution, resolution, channels]`.
struct PreparedImages: Sendable {
  /// The samples of all images.
  let pixels: [UInt8]
  /// The samples of one image.
  let length: Int

  /// More than this is not kept in memory.
  static let largestSize = 1 << 31
  private static let chunk = 256

  /// Decodes and resizes the images at `indices`.
  init(_ source: any ImageSource, indices: [Int], preparation: ImagePreparation, threads: Int) throws {
    let length = preparation.resolution * preparation.resolution * preparation.channels
    var pixels: [UInt8] = []
    pixels.reserveCapacity(indices.count * length)
    let chunks = (indices.count + Self.chunk - 1) / Self.chunk
    let prefetch = OrderedPrefetch(0..<chunks, threads: threads, depth: threads + 1) { chunk in
      let start = chunk * Self.chunk
      let end = min(indices.count, start + Self.chunk)
      return try Self.prepare(source, indices[start..<end], preparation)
    }
    while let part = try prefetch.next() { pixels += part }
    self.pixels = pixels
    self.length = length
  }

  // Square images of one size go through LibTorch together: one call for 256 of them.
  private static func prepare(
    _ source: any ImageSource, _ indices: ArraySlice<Int>, _ preparation: ImagePreparation
  ) throws -> [UInt8] {
    guard let size = source.uniformSize, size.width == size.height else {
      return try indices.flatMap { try preparation.plain($0, of: source).pixels }
    }
    let images = try indices.map { try source.image(at: $0).converted(toChannels: preparation.channels) }
    guard images.allSatisfy({ $0.size == size }) else {
      return try images.flatMap { try preparation.fitted($0).pixels }
    }
    return try ImageResizing.resized(
      images.flatMap(\.pixels), count: images.count, channels: preparation.channels, from: size,
      to: ImageSize(width: preparation.resolution, height: preparation.resolution))
  }
}
