extension PixelImage {
  /// This image with every sample replaced by its entry in `table`, which has 256 entries for all channels, or 256 for each
  /// channel, one channel after another.
  func mapped(by table: [UInt8]) -> PixelImage {
    precondition(table.count == 256 || table.count == 256 * channels, "\(table.count) entries for \(channels) channels")
    return replacingSamples { input, output in
      table.withUnsafeBufferPointer { table in
        if table.count == 256 {
          for index in 0..<input.count { output[index] = table[Int(input[index])] }
        } else {
          for index in stride(from: 0, to: input.count, by: 3) {
            output[index] = table[Int(input[index])]
            output[index &+ 1] = table[256 &+ Int(input[index &+ 1])]
            output[index &+ 2] = table[512 &+ Int(input[index &+ 2])]
          }
        }
      }
    }
  }

  /// How often each of the 256 values occurs, one channel after another.
  func histogram() -> [Int] {
    var counts = [Int](repeating: 0, count: 256 * channels)
    counts.withUnsafeMutableBufferPointer { counts in
      pixels.withUnsafeBufferPointer { input in
        for index in stride(from: 0, to: input.count, by: channels) {
          for channel in 0..<channels { counts[256 &* channel &+ Int(input[index &+ channel])] &+= 1 }
        }
      }
    }
    return counts
  }

  /// The table that `entry` gives for the values 0 to 255.
  static func table(_ entry: (Int) -> Int) -> [UInt8] { (0..<256).map { UInt8(min(max(entry($0), 0), 255)) } }
}
