import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("IDX files")
struct IDXTests {
  private let images = idx(shape: [3, 2, 2], Array(0..<12))
  private let labels = idx(shape: [3], [2, 0, 1])

  @Test("are read raw and gzip-compressed alike")
  func readsBothForms() throws {
    try withTemporaryFolder { folder in
      let raw = try write(images, to: folder + "/images")
      let compressed = try write(gzip(images, in: folder), to: folder + "/images.gz")
      let expected = try IDXFile(path: raw, dimensions: 3)
      #expect(expected.shape == [3, 2, 2])
      #expect(expected.bytes == Array(0..<12))
      #expect(try IDXFile(path: compressed, dimensions: 3) == expected)
    }
  }

  @Test("become images with labels")
  func becomeImages() throws {
    try withTemporaryFolder { folder in
      let source = try InMemoryImages(
        idxImages: write(images, to: folder + "/images"), labels: write(labels, to: folder + "/labels"), name: "test")
      #expect(source.count == 3)
      #expect((0..<3).map(source.label) == [2, 0, 1])
      #expect(source.classNames == ["0", "1", "2"])
      #expect(source.image(at: 1) == PixelImage(width: 2, height: 2, channels: 1, pixels: [4, 5, 6, 7]))
    }
  }

  @Test("that are cut off at any byte are refused, raw and compressed", arguments: [false, true])
  func refusesTruncated(compressed: Bool) throws {
    try withTemporaryFolder { folder in
      let whole = compressed ? try gzip(images, in: folder) : images
      // A gzip file without its header is read as raw bytes, hence from 1 on.
      for length in 0..<whole.count {
        let path = try write(Array(whole.prefix(length)), to: folder + "/cut")
        expectFailure(.badData, path: "cut") { try IDXFile(path: path, dimensions: 3) }
      }
    }
  }

  @Test("with bytes after the end are refused, naming the place")
  func refusesTrailing() throws {
    try withTemporaryFolder { folder in
      let path = try write(images + [0], to: folder + "/long")
      expectFailure(.badData, path: "long", "after byte 28") { try IDXFile(path: path, dimensions: 3) }
      let compressed = try write(gzip(images + [0], in: folder), to: folder + "/long.gz")
      expectFailure(.badData, path: "long.gz", "after byte 28") { try IDXFile(path: compressed, dimensions: 3) }
    }
  }

  @Test("with another magic number are refused, showing both")
  func refusesMagic() throws {
    try withTemporaryFolder { folder in
      for magic: [UInt8] in [[0, 0, 8, 1], [0, 0, 13, 3], [1, 0, 8, 3], [0x89, 0x50, 0x4E, 0x47]] {
        let path = try write(magic + images.dropFirst(4), to: folder + "/magic")
        expectFailure(.badData, path: "magic", "00 00 08 03") { try IDXFile(path: path, dimensions: 3) }
      }
    }
  }

  @Test("that are a few bytes of zeros are taken for bombs while they are compressed")
  func refusesBombs() throws {
    try withTemporaryFolder { folder in
      let shape = [70, 1024, 1024]
      let path = try write(
        gzip(idx(shape: shape, [UInt8](repeating: 0, count: shape.reduce(1, *))), in: folder), to: folder + "/bomb.gz")
      expectFailure(.beyondLimit, path: "bomb.gz", "gunzip") { try IDXFile(path: path, dimensions: 3) }
    }
  }

  @Test("with huge sizes are refused before memory is taken")
  func refusesHuge() throws {
    try withTemporaryFolder { folder in
      let largest = 0xFFFF_FFFF
      for shape in [[largest, largest, largest], [60000, 60000, 60000], [1, largest, 1], [4, 2, 2], [0, 2, 2]] {
        let path = try write(idx(shape: shape, Array(0..<12)), to: folder + "/huge")
        expectFailure(.badData, path: "huge") { try IDXFile(path: path, dimensions: 3) }
        let compressed = try write(gzip(idx(shape: shape, Array(0..<12)), in: folder), to: folder + "/huge.gz")
        expectFailure(.badData, path: "huge.gz") { try IDXFile(path: compressed, dimensions: 3) }
      }
    }
  }

  @Test("with a damaged checksum are refused")
  func refusesDamaged() throws {
    try withTemporaryFolder { folder in
      var compressed = try gzip(images, in: folder)
      compressed[compressed.count - 6] ^= 1
      let path = try write(compressed, to: folder + "/damaged.gz")
      expectFailure(.badData, path: "damaged.gz") { try IDXFile(path: path, dimensions: 3) }
    }
  }

  @Test("whose counts differ, or whose labels are no class, are refused")
  func refusesMismatch() throws {
    try withTemporaryFolder { folder in
      let images = try write(images, to: folder + "/images")
      let short = try write(idx(shape: [2], [0, 1]), to: folder + "/short")
      expectFailure(.badData, path: "images", "3 images", "2 labels") {
        try InMemoryImages(idxImages: images, labels: short, name: "test")
      }
      let labels = try write(labels, to: folder + "/labels")
      expectFailure(.badData, path: "labels", "label 2 at byte 8") {
        try InMemoryImages(idxImages: images, labels: labels, name: "test", classNames: ["a", "b"])
      }
    }
  }

  @Test("that are not there, or are folders, are named")
  func refusesMissing() throws {
    try withTemporaryFolder { folder in
      expectFailure(.missing, path: "/none") { try IDXFile(path: folder + "/none", dimensions: 1) }
      expectFailure(.badData, path: folder, "regular") { try IDXFile(path: folder, dimensions: 1) }
    }
  }
}
