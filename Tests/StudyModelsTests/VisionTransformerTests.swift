import Diagnosis
import Foundation
import Records
import Support
import Testing
import Torch

@testable import StudyModels

@Suite struct VisionTransformerTests {
  /// 9,523,722 parameters with 512 hidden features, on images of 32 px in ten classes.
  @Test func parametersOfTheSpecification() throws {
    let model = try VisionTransformer(channels: 3, side: 32, classes: 10, hidden: 512, settings: .full, seed: 0)
    #expect(model.parameters.reduce(0) { $0 + $1.tensor.count } == 9_523_722)
    #expect(model.channelGroups.count == 6 && model.channelGroups[4].width == 512)
  }

  @Test("Scores are those of a transformer written out in loops")
  func byHand() throws {
    var settings = TransformerSettings.small
    (settings.dimension, settings.depth, settings.heads, settings.headSize, settings.patch) = (4, 2, 2, 3, 2)
    let model = try VisionTransformer(channels: 2, side: 4, classes: 3, hidden: 5, settings: settings, seed: 1)
    let images = try Tensor.normal([2, 2, 4, 4], generator: Generator(seed: 2))
    let scores = try withoutGradients { try model.forward(images, dropout: nil).array(Float.self) }
    let pixels = try images.array(Float.self).map(Double.init)
    func values(_ name: String) throws -> [Double] {
      try model.parameters.tensor(named: name).array(Float.self).map(Double.init)
    }
    func linear(_ x: [Double], _ name: String, bias: Bool = true) throws -> [Double] {
      let weight = try values("\(name).weight")
      let shift = bias ? try values("\(name).bias") : Array(repeating: 0, count: weight.count / x.count)
      return shift.indices.map { row in x.indices.reduce(shift[row]) { $0 + weight[row * x.count + $1] * x[$1] } }
    }
    func norm(_ x: [Double], _ name: String) throws -> [Double] {
      let mean = x.reduce(0, +) / Double(x.count)
      let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
      let (weight, bias) = (try values("\(name).weight"), try values("\(name).bias"))
      return x.indices.map { (x[$0] - mean) / (variance + 1e-5).squareRoot() * weight[$0] + bias[$0] }
    }
    func plus(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }
    for image in 0..<2 {
      let position = try values("position")
      var tokens = [plus(try values("class_token"), Array(position[0..<4]))]
      for row in 0..<2 {
        for column in 0..<2 {
          var patch: [Double] = []
          for y in 0..<2 {
            for x in 0..<2 {
              for channel in 0..<2 {
                patch.append(pixels[((image * 2 + channel) * 4 + row * 2 + y) * 4 + column * 2 + x])
              }
            }
          }
          let place = tokens.count
          tokens.append(plus(try linear(patch, "patch"), Array(position[place * 4..<place * 4 + 4])))
        }
      }
      for block in 0..<2 {
        let name = "blocks.\(block)"
        let parts = try tokens.map { try linear(norm($0, "\(name).norm1"), "\(name).qkv", bias: false) }
        var mixed = tokens.map { _ in Array(repeating: 0.0, count: 6) }
        for head in 0..<2 {
          for query in tokens.indices {
            let raw = tokens.indices.map { key in
              (0..<3).reduce(0) { $0 + parts[query][head * 3 + $1] * parts[key][6 + head * 3 + $1] } / 3.0.squareRoot()
            }
            let sum = raw.reduce(0) { $0 + exp($1) }
            for feature in 0..<3 {
              mixed[query][head * 3 + feature] = tokens.indices.reduce(0) {
                $0 + exp(raw[$1]) / sum * parts[$1][12 + head * 3 + feature]
              }
            }
          }
        }
        for index in tokens.indices {
          tokens[index] = plus(tokens[index], try linear(mixed[index], "\(name).proj"))
          let features = try linear(norm(tokens[index], "\(name).norm2"), "\(name).fc1")
            .map { $0 * 0.5 * (1 + erf($0 / 2.0.squareRoot())) }
          tokens[index] = plus(tokens[index], try linear(features, "\(name).fc2"))
        }
      }
      let expected = try linear(norm(tokens[0], "norm"), "head")
      for (label, value) in expected.enumerated() { #expect(abs(Double(scores[image * 3 + label]) - value) < 1e-4) }
    }
  }

  @Test("Planted images are learned, the same way twice, and the fifth block comes first")
  func learns() throws {
    var settings = TransformerSettings.small
    (settings.dimension, settings.depth, settings.heads, settings.headSize, settings.patch) = (32, 5, 2, 16, 8)
    (settings.batchSize, settings.learningRate) = (20, 1e-3)
    let images = PlantedImages.dataset(training: 400, heldOut: 100)
    func train() throws -> WidthSweepSummary.Result {
      try StudyRun.train(
        TransformerTraining(images, hidden: 8, settings: settings, epochs: 12, seed: 1), seed: 1)
    }
    let (first, again) = (try train(), try train())
    #expect(first.score > 30, "\(first.score)")
    #expect(first.score == again.score && first.curve.values == again.curve.values)
    #expect(first.curve.group == "blocks.4.mlp" && first.further.count == 4)
    #expect(throws: UsageFailure.self) {
      try TransformerTraining(images, part: 0.02, hidden: 8, settings: settings, epochs: 1, seed: 1)
    }
    settings.patch = 5
    #expect(throws: UsageFailure.self) {
      try TransformerTraining(images, hidden: 8, settings: settings, epochs: 1, seed: 1)
    }
  }
}
