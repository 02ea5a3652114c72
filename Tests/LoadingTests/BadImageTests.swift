import Foundation
import Support
import Testing
import Torch

@testable import ImageFiles
@testable import Loading

@Suite("Images that cannot be used")
struct BadImageTests {
  /// Forty images, of which those numbered are damaged in four ways.
  private func folder(_ root: String, side: Int) throws -> ImageFolder {
    for number in 0..<40 {
      let image = gradient(width: side, height: side, phase: number)
      let bytes: [UInt8] =
        switch number {
        case 7: Array(try jpeg(image).prefix(60))
        case 8: Array(try png(image).prefix(60))
        case 20: Array("GIF89a".utf8)
        case 30: pngDeclaring(width: 60_000, height: 60_000, try png(image))
        default: try jpeg(image)
        }
      try write(bytes, to: "\(root)/\(number % 2 == 0 ? "a" : "b")/\(10 + number).jpg")
    }
    let source = try ImageFolder(root: root, name: "test", options: ReadingOptions(onBadImage: .skip))
    try FileManager.default.removeItem(atPath: source.path(at: 0))
    return source
  }

  private func loader(
    _ source: ImageFolder, _ policy: BadImagePolicy, _ augmentation: Augmentation = .none, shuffles: Bool = true,
    batchSize: Int = 8, threads: Int = 1, mixing: Mixing = Mixing(), share: BatchShare = .whole
  ) throws -> BatchLoader {
    try BatchLoader(
      source: source, batchSize: batchSize, resolution: 16, normalization: .imageNet, augmentation: augmentation,
      mixing: mixing, shuffles: shuffles, onBadImage: policy, threads: threads, share: share)
  }

  private func read(_ loader: BatchLoader, epoch: Int = 0) throws -> (indices: [[Int]], skipped: [SkippedImage]) {
    let stream = loader.epoch(epoch)
    var (indices, skipped): ([[Int]], [SkippedImage]) = ([], [])
    while let batch = try stream.next() {
      #expect(batch.images.shape[0] == batch.count && batch.labels.shape == [batch.count])
      indices.append(batch.indices)
      skipped += batch.skipped
    }
    return (indices, skipped)
  }

  private static let ways: [(side: Int, augmentation: Augmentation)] = [
    (32, .padCropFlip(padding: 1, flip: true)), (120, .none), (120, .randomResizedCrop(minimumScale: 0.1, flip: true)),
  ]

  @Test("are left out of their batches and named, in the same way for any number of threads", arguments: 0..<3)
  func skips(way: Int) throws {
    try withTemporaryFolder { root in
      let source = try folder(root, side: Self.ways[way].side)
      let augmentation = Self.ways[way].augmentation
      let found = try read(loader(source, .skip, augmentation))
      // Every batch is full: the next images of the epoch take the places.
      #expect(found.indices.map(\.count) == [8, 8, 8, 8, 8])
      let distinct = Set(found.skipped)
      #expect(distinct.count == 5 && Set(found.indices.flatMap { $0 }).count == 35)
      #expect(
        Dictionary(grouping: distinct, by: \.kind).mapValues(\.count) == [
          .damaged: 2, .format: 1, .limit: 1, .missing: 1,
        ])
      let threaded = try read(loader(source, .skip, augmentation, threads: 3))
      #expect(threaded.indices == found.indices && threaded.skipped == found.skipped)
      let again = try loader(source, .skip, augmentation)
      #expect(try read(again, epoch: 1).indices != found.indices)
      #expect(try read(again).indices == found.indices)
      #expect(throws: FileFailure.self) { try read(loader(source, .fail, augmentation)) }
    }
  }

  @Test("are replaced by the same ones for any number of processes, mixed or not", arguments: 0..<3, [false, true])
  func shares(way: Int, mixes: Bool) throws {
    try withTemporaryFolder { root in
      let source = try folder(root, side: Self.ways[way].side)
      func batches(_ share: BatchShare) throws -> [(indices: [Int], pixels: [Float])] {
        let stream = try loader(
          source, .skip, Self.ways[way].augmentation, batchSize: 12, mixing: mixes ? Mixing(mixup: 0.8) : Mixing(),
          share: share
        ).epoch(0)
        var found: [(indices: [Int], pixels: [Float])] = []
        while let batch = try stream.next() {
          found.append((batch.indices, try batch.images.contiguous().array()))
        }
        return found
      }
      let whole = try batches(.whole)
      // No image twice in a batch, and no gap.
      #expect(
        whole.map(\.indices.count) == [12, 12, 12, 4] && whole.allSatisfy { Set($0.indices).count == $0.indices.count })
      for size in [2, 5] {
        let parts = try (0..<size).map { try batches(BatchShare(rank: $0, size: size)) }
        for (number, batch) in whole.enumerated() {
          #expect(parts.flatMap { $0[number].indices } == batch.indices)
          #expect(parts.flatMap { $0[number].pixels } == batch.pixels)
        }
      }
    }
  }

  @Test("warn once for each kind, and are counted once each")
  func counts() throws {
    try withTemporaryFolder { root in
      let found = try read(loader(folder(root, side: 32), .skip, shuffles: false)).skipped
      #expect(found.count == 5)
      var skipped = SkippedImages()
      #expect(skipped.summary == nil)
      let warnings = skipped.add(found)
      #expect(warnings.count == 4 && skipped.add(found).isEmpty && skipped.count == 5)
      let summary = try #require(skipped.summary)
      for words in ["5 image(s)", "1 missing", "1 of a format", "1 beyond the limits", "2 damaged", "data verify"] {
        #expect(summary.contains(words))
      }
      #expect(warnings.contains { $0.contains("GIF") } && warnings.contains { $0.contains("60000×60000") })
      let copy = try JSONDecoder().decode(SkippedImages.self, from: JSONEncoder().encode(skipped))
      #expect(copy == skipped)
    }
  }

  @Test("leave an empty batch to an evaluation; a training takes others, and ends when there are none")
  func wholeBatches() throws {
    try withTemporaryFolder { root in
      let source = try folder(root, side: 120)
      let found = try read(loader(source, .skip, shuffles: false, batchSize: 1))
      #expect(found.indices.filter(\.isEmpty).count == 5)
      #expect(try read(loader(source, .skip, batchSize: 1)).indices.allSatisfy { $0.count == 1 })
      for index in 0..<40 { try? FileManager.default.removeItem(atPath: source.path(at: index)) }
      expectFailure(.badData, path: "", "no other training image") { try read(loader(source, .skip)) }
    }
  }

  @Test("are also found where the loader is told of a limit that a flag has raised")
  func limits() throws {
    try withTemporaryFolder { root in
      try write(try png(gradient(width: 60, height: 60)), to: root + "/a/1.png")
      let low = try ImageFolder(root: root, name: "test", options: ReadingOptions(images: ImageLimits(pixels: 3599)))
      expectFailure(.beyondLimit, path: "1.png", "3599", "`max-image-pixels`") { try low.image(at: 0) }
      let high = try ImageFolder(root: root, name: "test", options: ReadingOptions(images: ImageLimits(pixels: 3600)))
      #expect(try high.image(at: 0).width == 60)
    }
  }

  private static let others: [(content: [UInt8], words: [String])] = [
    ([], ["is empty", "again"]),
    (Array("version https://git-lfs.github.com/spec/v1\n".utf8), ["pointer of Git LFS", "git lfs pull"]),
    (Array("<!doctype html><html>404</html>".utf8), ["a web page", "Download it again"]),
    ([0, 0, 0, 0x20] + Array("ftypavif".utf8), ["AVIF", "Convert it"]),
    ([0, 0, 0, 0x20] + Array("ftypheic".utf8), ["HEIC", "Convert it"]),
    (Array("GIF89a".utf8), ["a GIF image", "Convert it"]),
    ([1, 2, 3, 4], ["does not begin as an image", "Replace it"]),
  ]

  @Test("Files that are something else under an image's name are called by their name", arguments: others.indices)
  func somethingElse(index: Int) throws {
    let (content, words) = Self.others[index]
    let failure = #expect(throws: FileFailure.self) {
      try PixelImage.decode(bytes: content, path: "x.jpg", channels: 3)
    }
    for word in words { #expect(failure?.reason.contains(word) == true, "\(failure?.reason ?? "")") }
  }
}
