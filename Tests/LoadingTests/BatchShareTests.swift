import ImageFiles
import Loading
import Testing
import Torch

@Suite struct BatchShareTests {
  @Test("Shares are neighbours, as large as each other or one larger, and together the batch", arguments: 1...5)
  func ranges(size: Int) {
    for count in [0, 1, 4, 5, 7, 128] {
      let ranges = (0..<size).map { BatchShare(rank: $0, size: size).range(of: count) }
      #expect(ranges.flatMap { Array($0) } == Array(0..<count))
      let sizes = ranges.map(\.count)
      #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }
  }

  @Test(
    "Several processes make, together, the batches of one: order, variation, mixing and all",
    arguments: [Mixing(), Mixing(mixup: 0.4), Mixing(cutmix: 1), Mixing(mixup: 0.2, cutmix: 1)], [2, 3])
  func batches(mixing: Mixing, size: Int) throws {
    func loader(_ share: BatchShare) throws -> BatchLoader {
      try BatchLoader(
        source: constantImages(count: 23, side: 8), batchSize: 5, resolution: 8,
        normalization: Normalization(mean: [0], std: [1 / 255]), augmentation: .padCropFlip(padding: 2, flip: true),
        mixing: mixing, seed: 5, shuffles: true, dropsLast: true, share: share)
    }
    let whole = try loader(.whole).epoch(1, startingAt: 1)
    let parts = try (0..<size).map { try loader(BatchShare(rank: $0, size: size)).epoch(1, startingAt: 1) }
    var count = 0
    while let batch = try whole.next() {
      let shares = try parts.map { try #require(try $0.next()) }
      #expect(shares.flatMap(\.indices) == batch.indices)
      #expect(try shares.flatMap { try $0.images.contiguous().array(Float.self) } == batch.images.contiguous().array())
      #expect(try shares.flatMap { try $0.labels.array(Int64.self) } == batch.labels.array())
      #expect(shares.map(\.mix?.weight) == shares.map { _ in batch.mix?.weight })
      if let mix = batch.mix {
        #expect(try shares.flatMap { try $0.mix!.labels.array(Int64.self) } == mix.labels.array())
      }
      #expect(shares.map(\.place.first) == (0..<size).map { 5 * $0 / size })
      #expect(shares.allSatisfy { $0.total == 5 })
      count += 1
    }
    #expect(count == 3)
    #expect(try parts.allSatisfy { try $0.next() == nil })
  }
}
