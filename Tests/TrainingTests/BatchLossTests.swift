import ImageFiles
import Loading
import Testing
import Torch

@testable import Training

@Suite struct BatchLossTests {
  @Test("A mixed batch's loss weighs both classes")
  func loss() throws {
    let loader = try BatchLoader(
      source: toyDataset.training, batchSize: 6, resolution: 8, normalization: .grey, mixing: Mixing(mixup: 1), seed: 5,
      shuffles: true)
    let batch = try #require(try loader.epoch(0).next())
    let mix = try #require(batch.mix)
    let logits = try Tensor.normal([6, 4], generator: Generator(seed: 1))
    let (own, other) = (try logits.crossEntropy(batch.labels).item(), try logits.crossEntropy(mix.labels).item())
    let expected = mix.weight * own + (1 - mix.weight) * other
    #expect(abs(try batch.crossEntropy(logits).item() - expected) < 1e-6)
    // The same as the loss of the blended probabilities, which is how mixup is written.
    func oneHot(_ labels: Tensor) throws -> [Float] {
      try labels.array(Int64.self).flatMap { label in (0..<4).map { Int64($0) == label ? Float(1) : 0 } }
    }
    let blended = try zip(oneHot(batch.labels), oneHot(mix.labels)).map {
      Float(mix.weight) * $0 + Float(1 - mix.weight) * $1
    }
    let soft = try logits.crossEntropy(Tensor(blended, shape: [6, 4]), labelSmoothing: 0.1).item()
    #expect(abs(try batch.crossEntropy(logits, labelSmoothing: 0.1).item() - soft) < 1e-6)
  }
}
