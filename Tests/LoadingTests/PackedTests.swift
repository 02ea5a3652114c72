import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Packed files")
struct PackedTests {
  private func photographs(_ folder: String) throws -> Dataset {
    for index in 0..<6 {
      let kind = index % 2 == 0 ? "a" : "b"
      try write(try jpeg(gradient(width: 40 + index, height: 30)), to: "\(folder)/train/\(kind)/\(index).jpg")
      try write(try png(gradient(width: 20, height: 50 + index, channels: 1)), to: "\(folder)/val/\(kind)/\(index).png")
    }
    return try Dataset.open(folder)
  }

  private func pack(_ packing: Packing = Packing(), _ dataset: Dataset, to path: String) throws -> Dataset {
    let summary = try packing.write(dataset, to: path, threads: 2)
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    #expect(summary.bytes == size)
    return try Dataset.open(path)
  }

  @Test("hold what was packed, to the pixel, and its description")
  func roundTrip() throws {
    try withTemporaryFolder { folder in
      let dataset = try photographs(folder + "/p")
      for encoding in [Packing.Encoding.source, .raw] {
        let packed = try pack(Packing(encoding: encoding), dataset, to: folder + "/p.wtpack")
        #expect(packed.name == dataset.name && packed.classNames == ["a", "b"] && packed.channels == 3)
        #expect(packed.normalization == dataset.normalization && packed.resolution == dataset.resolution)
        #expect(packed.format == "packed from class folders of images")
        #expect(try pack(Packing(), packed, to: folder + "/again").format == packed.format)
        for (before, after) in [(dataset.training, packed.training), (dataset.heldOut, packed.heldOut)] {
          #expect(before.count == after.count)
          for index in 0..<before.count {
            #expect(before.label(at: index) == after.label(at: index))
            #expect(try before.image(at: index) == after.image(at: index))
            let part = PixelRectangle(left: 3, top: 5, width: 11, height: 17)
            #expect(try before.image(at: index) { _ in .init(part) } == after.image(at: index) { _ in .init(part) })
          }
        }
        #expect(try packed.training.file(at: 0) == (encoding == .raw ? nil : dataset.training.file(at: 0)))
        #expect(packed.training.place(at: 2).hasSuffix("p.wtpack: image 2"))
        #expect(packed.heldOut.place(at: 2).hasSuffix("p.wtpack: image 8"))
      }
    }
  }

  @Test("hold small images of one size as such, grey ones too")
  func small() throws {
    try withTemporaryFolder { folder in
      let dataset = Dataset(
        name: "digits", training: constantImages(count: 9), heldOut: constantImages(count: 4), resolution: 4,
        normalization: .mnist)
      let packed = try pack(Packing(), dataset, to: folder + "/d")
      #expect(packed.channels == 1 && packed.training.uniformSize == ImageSize(width: 4, height: 4))
      #expect(try packed.training.image(at: 7) == dataset.training.image(at: 7) && packed.heldOut.count == 4)
      #expect(packed.normalization == .mnist)
      // Made smaller, they are trained on at their size, as a folder of such images is.
      let large = Dataset(
        name: "large", training: constantImages(count: 9, side: 60), heldOut: constantImages(count: 4, side: 60),
        resolution: 224, normalization: .mnist)
      #expect(try pack(Packing(), large, to: folder + "/l").resolution == 224)
      #expect(try pack(Packing(largestSide: 20), large, to: folder + "/s").resolution == 20)
    }
  }

  @Test("hold images shrunk to a largest side, near to what resizing gives, and smaller ones as they were")
  func shrinks() throws {
    try withTemporaryFolder { folder in
      let dataset = try photographs(folder + "/p")
      for encoding in Packing.Encoding.allCases {
        let packed = try pack(Packing(encoding: encoding, largestSide: 42, quality: 98), dataset, to: folder + "/q")
        for index in 0..<6 {
          let (before, after) = (try dataset.training.image(at: index), try packed.training.image(at: index))
          let wanted =
            before.width <= 42 ? before.size : ImageSize(width: 42, height: (30 * 42 + before.width / 2) / before.width)
          #expect(after.size == wanted)
          let expected = try before.resized(to: wanted)
          let largest = zip(expected.pixels, after.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
          #expect(largest <= (encoding == .raw || before.width <= 42 ? 0 : 12), "\(encoding) \(index): \(largest)")
          // What had no loss gets none by being shrunk.
          #expect((try packed.heldOut.file(at: index) != nil) == (encoding == .jpeg))
          #expect(try packed.heldOut.image(at: index).height == 42)
        }
      }
    }
  }

  @Test("have a few kilobytes' worth of overhead, images at multiples of 64 bytes, and nothing of the time of packing")
  func layout() throws {
    try withTemporaryFolder { folder in
      let dataset = try photographs(folder + "/p")
      _ = try Packing().write(dataset, to: folder + "/1", threads: 1)
      _ = try Packing().write(dataset, to: folder + "/2", threads: 3)
      let bytes = try FileBytes.read(path: folder + "/1", limit: 1 << 24)
      #expect(try bytes == FileBytes.read(path: folder + "/2", limit: 1 << 24))
      #expect(bytes.starts(with: PackedHeader.magic) && bytes[8] == 1)
      for number in 0..<12 {
        let record = try #require(
          bytes.withUnsafeBytes {
            PackedRecord(UnsafeRawBufferPointer(rebasing: $0[64 + 32 * number..<96 + 32 * number]))
          })
        #expect(record.offset % 64 == 0 && record.length > 0)
      }
    }
  }

  @Test("of another version are refused as that")
  func versions() throws {
    try withTemporaryFolder { folder in
      _ = try Packing().write(try photographs(folder + "/p"), to: folder + "/x", threads: 1)
      var bytes = try FileBytes.read(path: folder + "/x", limit: 1 << 24)
      bytes[8] = 2
      try write(bytes, to: folder + "/x")
      expectFailure(.unsupported, path: "x", "version 2", "version 1") { try Dataset.open(folder + "/x") }
    }
  }

  @Test("that are damaged anywhere are refused, or the image at fault is")
  func damage() throws {
    try withTemporaryFolder { folder in
      _ = try Packing(encoding: .raw).write(try photographs(folder + "/p"), to: folder + "/x", threads: 1)
      let bytes = try FileBytes.read(path: folder + "/x", limit: 1 << 24)
      for length in [9, 63, 64, 200, bytes.count / 2, bytes.count - 1] {
        try write(Array(bytes.prefix(length)), to: folder + "/x")
        expectFailure(.badData, path: "x") { try Dataset.open(folder + "/x") }
      }
      try write(bytes + [0], to: folder + "/x")
      expectFailure(.badData, path: "x", "bytes") { try Dataset.open(folder + "/x") }
      var generator = SeededGenerator(seed: 8)
      let used = try Dataset.open(try write(bytes, to: folder + "/x"))
      let images = try (0..<6).map { try used.training.image(at: $0) }
      for _ in 0..<300 {
        let place = generator.nextInt(below: bytes.count)
        var damaged = bytes
        damaged[place] ^= UInt8(1 << generator.nextInt(below: 8))
        try write(damaged, to: folder + "/x")
        do {
          let dataset = try Dataset.open(folder + "/x")
          // Whatever can be read is what was packed: a flipped bit is never taken for a pixel.
          for index in 0..<6 {
            if let image = try? dataset.training.image(at: index) { #expect(image == images[index]) }
          }
        } catch is FileFailure {
        }
      }
    }
  }

  @Test("that were forged, checksums and all, are refused or read within their bounds")
  func forged() throws {
    try withTemporaryFolder { folder in
      _ = try Packing(encoding: .raw).write(try photographs(folder + "/p"), to: folder + "/x", threads: 1)
      let bytes = try FileBytes.read(path: folder + "/x", limit: 1 << 24)
      let table = 64..<64 + 12 * 32
      var generator = SeededGenerator(seed: 9)
      for round in 0..<2000 {
        var forged = bytes
        for _ in 0...generator.nextInt(below: 3) {
          let place =
            round % 4 == 0
            ? 12 + generator.nextInt(below: 48) : table.lowerBound + generator.nextInt(below: table.count)
          forged[place] = generator.nextInt(below: 2) == 0 ? 0xFF : UInt8(truncatingIfNeeded: generator.next())
        }
        func put(_ value: UInt32, at place: Int) {
          withUnsafeBytes(of: value.littleEndian) { forged.replaceSubrange(place..<place + 4, with: $0) }
        }
        if round % 4 != 0 { put(Checksum.crc32(Array(forged[table])), at: 48) }
        put(Checksum.crc32(Array(forged[0..<60])), at: 60)
        try write(forged, to: folder + "/x")
        do {
          let dataset = try Dataset.open(folder + "/x")
          for source in [dataset.training, dataset.heldOut] {
            for index in 0..<source.count { _ = try? source.image(at: index) }
          }
        } catch is FileFailure {
        }
      }
    }
  }

  @Test("whose description has impossible numbers are refused")
  func impossibleDescriptions() throws {
    try withTemporaryFolder { folder in
      _ = try Packing().write(try photographs(folder + "/p"), to: folder + "/x", threads: 1)
      let bytes = try FileBytes.read(path: folder + "/x", limit: 1 << 24)
      let header = try bytes.withUnsafeBytes { try PackedHeader($0) }
      let text = String(decoding: bytes[header.descriptionOffset...], as: UTF8.self)
      for (sound, wrong) in [
        ("\"heldOut\":{\"images\":6}", "\"heldOut\":{\"images\":9223372036854775807}"),
        ("\"heldOut\":{\"images\":6}", "\"heldOut\":{\"images\":-6}"),
        ("\"training\":{\"images\":6}", "\"training\":{\"images\":7}"),
        ("\"training\":{\"images\":6}", "\"training\":{\"images\":6,\"uniformSize\":[0,5]}"),
        ("\"resolution\":224", "\"resolution\":0"), ("\"channels\":3", "\"channels\":1"),
        ("\"classNames\":[\"a\",\"b\"]", "\"classNames\":[\"a\"]"), ("\"classNames\"", "\"names\""),
      ] {
        #expect(text.contains(sound), "\(text)")
        let forged = Array(text.replacingOccurrences(of: sound, with: wrong).utf8)
        var changed = header
        changed.descriptionLength = forged.count
        changed.descriptionChecksum = Checksum.crc32(forged)
        changed.fileSize = header.descriptionOffset + forged.count
        try write(changed.bytes + bytes[64..<header.descriptionOffset] + forged, to: folder + "/y")
        expectFailure(.badData, path: "y") { try Dataset.open(folder + "/y") }
      }
    }
  }

  @Test("that are cut while they are read end the work with a failure, not the process")
  func cutInUse() throws {
    try withTemporaryFolder { folder in
      let dataset = try pack(Packing(), photographs(folder + "/p"), to: folder + "/x")
      let handle = try #require(FileHandle(forWritingAtPath: folder + "/x"))
      try handle.truncate(atOffset: 100)
      expectFailure(.io, path: "x", "changed while it was in use") { try dataset.training.image(at: 3) }
    }
  }

  @Test("leave out images that cannot be used, or are not written")
  func badImages() throws {
    try withTemporaryFolder { folder in
      _ = try photographs(folder + "/p")
      try write([0xFF, 0xD8, 0xFF, 0], to: folder + "/p/train/a/4.jpg")
      let failing = try Dataset.open(folder + "/p")
      expectFailure(.badData, path: "4.jpg") { try Packing().write(failing, to: folder + "/x", threads: 2) }
      #expect(!FileManager.default.fileExists(atPath: folder + "/x"))
      let skipping = try Dataset.open(folder + "/p", options: ReadingOptions(onBadImage: .skip))
      let summary = try Packing().write(skipping, to: folder + "/x", threads: 2)
      #expect(summary.training == 5 && summary.heldOut == 6 && summary.skipped.count == 1)
      #expect(try Dataset.open(folder + "/x").training.count == 5)
    }
  }
}
