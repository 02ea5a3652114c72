import Support
import Testing
import Torch

@testable import ImageFiles
@testable import Loading

@Suite("Batches")
struct BatchLoaderTests {
  /// What can be compared of a batch.
  private struct Content: Equatable {
    let images: [Float]
    let labels: [Int64]
    let indices: [Int]

    init(_ batch: Batch) throws {
      images = try batch.images.array()
      labels = try batch.labels.array()
      indices = batch.indices
    }
  }

  private func contents(_ stream: BatchStream) throws -> [Content] {
    var all: [Content] = []
    while let batch = try stream.next() { all.append(try Content(batch)) }
    return all
  }

  /// Small images that differ from pixel to pixel.
  private func pictures(count: Int = 23, side: Int = 8, channels: Int = 3) -> InMemoryImages {
    InMemoryImages(
      name: "pictures", size: ImageSize(width: side, height: side), channels: channels, classNames: ["a", "b", "c"],
      labels: (0..<count).map { $0 % 3 },
      pixels: (0..<count).flatMap { gradient(width: side, height: side, channels: channels, phase: $0).pixels })
  }

  private static let augmentations: [Augmentation] = [
    .none, .padCropFlip(padding: 2, flip: true), .randomResizedCrop(minimumScale: 0.3, flip: true),
  ]

  @Test("hold normalized images, labels and indices, channels last")
  func holds() throws {
    let source = pictures(count: 3)
    let loader = try BatchLoader(source: source, batchSize: 2, resolution: 8, normalization: .cifar10)
    #expect(loader.batchesPerEpoch == 2)
    let stream = loader.epoch(0)
    let batch = try #require(try stream.next())
    #expect(batch.images.shape == [2, 3, 8, 8] && batch.images.scalarType == .float32)
    #expect(batch.images.isContiguous(.channelsLast))
    #expect(try batch.labels.array(Int64.self) == [0, 1])
    #expect(batch.indices == [0, 1])
    let images: [Float] = try batch.images.array()
    let pixels = source.image(at: 1).pixels
    for channel in 0..<3 {
      let value = Float(pixels[(3 * 8 + 5) * 3 + channel]) / 255
      let expected = (value - Normalization.cifar10.mean[channel]) / Normalization.cifar10.std[channel]
      #expect(images[((1 * 3 + channel) * 8 + 3) * 8 + 5] == expected)
    }
    // The last batch is partial.
    #expect(try stream.next()?.count == 1)
    #expect(try stream.next() == nil)
  }

  @Test("have the same values when channels do not come last", arguments: augmentations)
  func layouts(augmentation: Augmentation) throws {
    let loaders = try [true, false].map {
      try BatchLoader(
        source: pictures(), batchSize: 5, resolution: 6, normalization: .imageNet, augmentation: augmentation, seed: 4,
        shuffles: true, channelsLast: $0)
    }
    #expect(try contents(loaders[0].epoch(1)) == contents(loaders[1].epoch(1)))
    #expect(try loaders[1].epoch(0).next()?.images.isContiguous() == true)
  }

  @Test("are the same for any number of threads", arguments: augmentations)
  func threads(augmentation: Augmentation) throws {
    let all = try [1, 2, 4].map { threads in
      try contents(
        BatchLoader(
          source: pictures(), batchSize: 4, resolution: 7, normalization: .imageNet, augmentation: augmentation,
          seed: 4, shuffles: true, threads: threads
        ).epoch(3))
    }
    #expect(all[0].count == 6)
    #expect(all[0] == all[1] && all[0] == all[2])
  }

  @Test("go on in the middle of an epoch as if it had never stopped", arguments: augmentations)
  func resumes(augmentation: Augmentation) throws {
    func loader() throws -> BatchLoader {
      try BatchLoader(
        source: pictures(), indices: [1, 2, 3, 5, 8, 13, 21, 22, 20, 4, 6], batchSize: 2, resolution: 8,
        normalization: .imageNet, augmentation: augmentation, seed: 11, shuffles: true, dropsLast: true)
    }
    let whole = try contents(loader().epoch(2))
    #expect(whole.count == 5)
    for start in 0...5 { #expect(try contents(loader().epoch(2, startingAt: start)) == Array(whole[start...])) }
    #expect(try contents(loader().epoch(1)) != whole)
  }

  @Test("move images, black at the margin, and mirror them")
  func padsAndMirrors() throws {
    let writer = SampleWriter(resolution: 3, channels: 1, channelsLast: true)
    let table = Normalization(mean: [0], std: [1 / 255]).table()
    func written(_ geometry: SampleGeometry) -> [Float] {
      var output = [Float](repeating: -1, count: 9)
      let pixels: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
      output.withUnsafeMutableBufferPointer { output in
        pixels.withUnsafeBufferPointer { writer.write($0, geometry, table, to: output) }
      }
      return output.map { $0.rounded() }
    }
    #expect(written(.plain) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(written(SampleGeometry(offset: (1, 0))) == [2, 3, 0, 5, 6, 0, 8, 9, 0])
    #expect(written(SampleGeometry(offset: (-1, 1))) == [0, 4, 5, 0, 7, 8, 0, 0, 0])
    #expect(written(SampleGeometry(isFlipped: true)) == [3, 2, 1, 6, 5, 4, 9, 8, 7])
    #expect(written(SampleGeometry(offset: (-1, 1), isFlipped: true)) == [5, 4, 0, 8, 7, 0, 0, 0, 0])
    #expect(written(SampleGeometry(offset: (7, -9))) == [0, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test("use only the chosen indices, at another resolution and with other channels")
  func projects() throws {
    let loader = try BatchLoader(
      source: pictures(channels: 1), indices: [4, 9], batchSize: 8, resolution: 5, channels: 3, normalization: .grey)
    let batch = try #require(try loader.epoch(0).next())
    #expect(batch.images.shape == [2, 3, 5, 5])
    #expect(batch.indices == [4, 9])
    let values: [Float] = try batch.images.array()
    #expect(Array(values[0..<25]) == Array(values[25..<50]))
  }

  @Test("drop the last partial one when asked, and a batch that is never full is refused")
  func dropsLast() throws {
    func loader(_ batchSize: Int) throws -> BatchLoader {
      try BatchLoader(
        source: constantImages(count: 10), batchSize: batchSize, resolution: 4, normalization: .grey, dropsLast: true)
    }
    #expect(try contents(loader(4).epoch(0)).map(\.indices.count) == [4, 4])
    #expect(throws: UsageFailure.self) { try loader(11) }
    #expect(throws: UsageFailure.self) { try loader(0) }
  }

  @Test("of an epoch that is left half way do not keep the program waiting", arguments: [1, 3])
  func cancels(threads: Int) throws {
    let loader = try BatchLoader(
      source: pictures(count: 200), batchSize: 2, resolution: 8, normalization: .imageNet,
      augmentation: .randomResizedCrop(minimumScale: 0.1, flip: true), shuffles: true, threads: threads)
    for taken in 0..<6 {
      let stream = loader.epoch(taken)
      for _ in 0..<taken { #expect(try stream.next() != nil) }
    }
  }

  @Test("of folders are prepared once when images are small, and report a damaged image by name")
  func folders() throws {
    try withTemporaryFolder { root in
      for number in 0..<40 {
        try write(jpeg(gradient(width: 32, height: 32, phase: number)), to: "\(root)/a/\(10 + number).jpg")
      }
      let source = try ImageFolder(root: root, name: "test")
      let loader = try BatchLoader(source: source, batchSize: 40, resolution: 32, normalization: .imageNet)
      #expect(try loader.epoch(0).next()?.images.shape == [40, 3, 32, 32])
      try write(Array(jpeg(gradient(width: 32, height: 32)).prefix(300)), to: root + "/a/27.jpg")
      let damaged = try BatchLoader(source: source, batchSize: 40, resolution: 32, normalization: .imageNet)
      expectFailure(.badData, path: "27.jpg") { try damaged.epoch(0).next() }
      // What was decoded before is not read again.
      #expect(try loader.epoch(1).next()?.count == 40)
      let cropping = try BatchLoader(
        source: source, batchSize: 4, resolution: 16, normalization: .imageNet,
        augmentation: .randomResizedCrop(minimumScale: 0.1, flip: true), threads: 2)
      let stream = cropping.epoch(0)
      for _ in 0..<4 { #expect(try stream.next() != nil) }
      expectFailure(.badData, path: "27.jpg") { try stream.next() }
    }
  }

  @Test("of the held-out images come in order, with the last partial one")
  func heldOut() throws {
    let dataset = Dataset(
      name: "test", training: constantImages(count: 4), heldOut: constantImages(count: 7), resolution: 4,
      normalization: .grey)
    let all = try contents(dataset.heldOutLoader(batchSize: 3).epoch(0))
    #expect(all.map(\.indices) == [[0, 1, 2], [3, 4, 5], [6]])
  }
}
