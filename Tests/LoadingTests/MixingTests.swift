import Support
import Testing
import Torch

@testable import ImageFiles
@testable import Loading

@Suite("Mixing")
struct MixingTests {
  private func loader(_ mixing: Mixing, threads: Int = 1) throws -> BatchLoader {
    try BatchLoader(
      source: constantImages(count: 24, side: 8), batchSize: 6, resolution: 8,
      normalization: Normalization(mean: [0], std: [1 / 255]), mixing: mixing, seed: 5, shuffles: true, threads: threads
    )
  }

  @Test("by mixup blends each image with the one before it, and so its class")
  func mixup() throws {
    let stream = try loader(Mixing(mixup: 0.4)).epoch(2)
    while let batch = try stream.next() {
      let mix = try #require(batch.mix)
      #expect(mix.weight >= 0 && mix.weight <= 1)
      let images: [Float] = try batch.images.array()
      for place in 0..<6 {
        let (own, other) = (batch.indices[place], batch.indices[(place + 5) % 6])
        let expected = mix.weight * Double(own) + (1 - mix.weight) * Double(other)
        #expect(images[place * 64..<place * 64 + 64].allSatisfy { abs(Double($0) - expected) < 1e-3 })
        #expect(try mix.labels.array(Int64.self)[place] == Int64(other % 3))
        #expect(try batch.labels.array(Int64.self)[place] == Int64(own % 3))
      }
    }
  }

  @Test("by CutMix replaces one rectangle, whose part of the area is the weight of the other class")
  func cutmix() throws {
    var areas: Set<Int> = []
    for epoch in 0..<10 {
      let stream = try loader(Mixing(cutmix: 1)).epoch(epoch)
      while let batch = try stream.next() {
        let mix = try #require(batch.mix)
        let images: [Float] = try batch.images.array()
        let replaced = (1 - mix.weight) * 64
        areas.insert(Int(replaced.rounded()))
        for place in 0..<6 {
          let (own, other) = (Float(batch.indices[place]), Float(batch.indices[(place + 5) % 6]))
          let values = images[place * 64..<place * 64 + 64].map { $0.rounded() }
          #expect(values.filter { $0 == other }.count == Int(replaced.rounded()))
          #expect(values.filter { $0 == own }.count == 64 - Int(replaced.rounded()))
        }
      }
    }
    #expect(areas.count > 8)
  }

  @Test("draws from seed, epoch and batch alone; both kinds take turns by chance")
  func draws() throws {
    let both = Mixing(mixup: 0.2, cutmix: 1)
    var (mixups, cutmixes, weights) = (0, 0, [Double]())
    for number in 0..<400 {
      let draw = try both.draw(seed: 1, epoch: 3, batch: number, side: 32)
      #expect(try draw == both.draw(seed: 1, epoch: 3, batch: number, side: 32))
      switch draw {
      case .mixup(let weight):
        mixups += 1
        weights.append(weight)
      case .cutmix: cutmixes += 1
      case .none: Issue.record("nothing was drawn")
      }
    }
    #expect((150...250).contains(mixups) && mixups + cutmixes == 400)
    // Beta(0.2, 0.2): mean 1/2, variance 1/(4·1.4).
    let mean = weights.reduce(0, +) / Double(weights.count)
    let variance = weights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(weights.count)
    #expect(abs(mean - 0.5) < 0.1 && abs(variance - 1 / 5.6) < 0.03)
    #expect(try Mixing().draw(seed: 1, epoch: 0, batch: 0, side: 8) == .none)
    #expect(try loader(Mixing()).epoch(0).next()?.mix == nil)
    for wrong in [Mixing(mixup: -1), Mixing(cutmix: .nan), Mixing(mixup: 1e9)] {
      #expect(throws: UsageFailure.self) { try wrong.validate() }
    }
  }
}
