import Support
import Testing

@testable import ImageFiles
@testable import Loading

/// Damages small files at random places, thousands of times: a reader may refuse them, with a `FileFailure`, or read
/// something; it must not end the process.
@Suite("Readers of randomly damaged files")
struct DamagedFileTests {
  private func damage(_ file: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var file = file
    for _ in 0...generator.nextInt(below: 4) {
      let place = generator.nextInt(below: max(1, file.count))
      switch generator.nextInt(below: 6) {
      case 0: file = Array(file.prefix(place))
      case 1: file.insert(UInt8(truncatingIfNeeded: generator.next()), at: min(place, file.count))
      case 2 where !file.isEmpty: file.remove(at: min(place, file.count - 1))
      default: if !file.isEmpty { file[min(place, file.count - 1)] = UInt8(truncatingIfNeeded: generator.next()) }
      }
    }
    return file
  }

  private func attempt(_ count: Int, _ file: [UInt8], seed: UInt64, _ read: ([UInt8]) throws -> Void) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<count {
      do {
        try read(damage(file, &generator))
      } catch is FileFailure {
      }
    }
  }

  @Test("survive JPEG, in colour and grey, full and reduced")
  func jpegFiles() throws {
    let files = [
      try jpeg(gradient(width: 24, height: 17)), try jpeg(gradient(width: 9, height: 33, channels: 1)),
    ]
    for (seed, file) in files.enumerated() {
      try attempt(1500, file, seed: UInt64(seed)) { bytes in
        for divisor in [1, 4] {
          _ = try PixelImage.decode(bytes: bytes, path: "x", channels: 3) { .whole($0, divisor: divisor) }
        }
      }
    }
  }

  @Test("survive PNG, whose checksums are partly made right again")
  func pngFiles() throws {
    let file = try png(gradient(width: 12, height: 10))
    try attempt(2000, file, seed: 3) { _ = try PixelImage.decode(bytes: $0, path: "x", channels: 1) }
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<500 {
      let forged = pngDeclaring(width: generator.nextInt(below: 3000), height: generator.nextInt(below: 3000), file)
      expectFailure(nil, path: "x") { try PixelImage.decode(bytes: forged, path: "x", channels: 3) }
    }
  }

  @Test("survive IDX, raw and compressed")
  func idxFiles() throws {
    try withTemporaryFolder { folder in
      let raw = idx(shape: [2, 3, 3], Array(0..<18))
      for (seed, file) in [raw, try gzip(raw, in: folder)].enumerated() {
        try attempt(1000, file, seed: UInt64(seed)) { bytes in
          _ = try IDXFile(path: write(bytes, to: folder + "/damaged"), dimensions: 3)
        }
      }
    }
  }
}
