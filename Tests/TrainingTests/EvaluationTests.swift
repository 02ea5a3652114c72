import Foundation
import ImageFiles
import Loading
import Networks
import Support
import Testing
import Torch

@testable import Training

@Suite struct EvaluationTests {
  @Test("Loss, top-1 and top-5 are those of the definition, over batches of unequal size")
  func byHand() throws {
    // Seven images of nine pixels; the logit of class k is pixel k, so that the ranking can be read off.
    let rows: [(pixels: [UInt8], label: Int)] = [
      ([250, 10, 20, 30, 40, 50], 0),  // rank 1
      ([250, 10, 20, 30, 40, 50], 1),  // rank 6: outside of the top 5
      ([250, 10, 20, 30, 40, 50], 2),  // rank 5
      ([0, 10, 20, 30, 40, 50], 5),  // rank 1
      ([0, 10, 20, 30, 40, 50], 0),  // rank 6
      ([0, 10, 20, 30, 40, 50], 4),  // rank 2
      ([90, 80, 70, 60, 55, 50], 0),  // rank 1
    ]
    let source = InMemoryImages(
      name: "ranks", size: ImageSize(width: 3, height: 3), channels: 1, classNames: (0..<6).map(String.init),
      labels: rows.map(\.label), pixels: rows.flatMap { $0.pixels + [1, 2, 3] })
    let network = Network(
      name: "pixels", input: Shape(channels: 1, height: 3, width: 3),
      layers: [.layer("flatten", .flatten, from: "input"), .linear("fc", 6, from: "flatten")])
    let model = try Model(network, seed: 0)
    try withoutGradients {
      try model["fc.weight"].fill(0)
      for index in 0..<6 { try model["fc.weight"].slice(0, index..<index + 1).slice(1, index..<index + 1).fill(10) }
    }
    let loader = try BatchLoader(
      source: source, batchSize: 4, resolution: 3, normalization: Normalization(mean: [0], std: [1]))
    let result = try model.evaluate(loader)
    let losses = rows.map { row in
      let logits = row.pixels.map { 10 * Double($0) / 255 }
      return log(logits.reduce(0) { $0 + exp($1) }) - logits[row.label]
    }
    #expect(result.images == 7)
    #expect(abs(result.loss - losses.reduce(0, +) / 7) < 1e-5)
    #expect(abs(result.top1 - 300.0 / 7) < 1e-9)
    #expect(abs(result.top5 - 500.0 / 7) < 1e-9)
  }

  @Test("Nothing to evaluate on is an error that says so")
  func empty() throws {
    let source = InMemoryImages(
      name: "none", size: ImageSize(width: 8, height: 8), channels: 1, classNames: ["a", "b", "c", "d"], labels: [],
      pixels: [])
    let loader = try BatchLoader(source: source, batchSize: 4, resolution: 8, normalization: .grey)
    let failure = #expect(throws: UsageFailure.self) { try Model(toyNetwork(), seed: 0).evaluate(loader) }
    #expect(failure?.message.contains("none has no held-out images") == true)
  }
}
