import Foundation
import Records
import Support
import Testing
import Torch

@testable import StudyModels

struct PhenomenaProbesTests {
  @Test("The Fisher trace of even chances is half of the squared inputs and one, and of certainty nothing")
  func fisherTrace() throws {
    let network = try Perceptron([3, 2], seed: 1)
    let points: [[Float]] = [[1, 2, 3], [0, -1, 0.5], [4, 0, 0]]
    let inputs = try Tensor(points.flatMap { $0 }, shape: [3, 3])
    try withoutGradients { for tensor in network.tensors { try tensor.fill(0) } }
    // ‖p − e_y‖² is ½ whatever the label, and the gradient of the weights is (p − e_y)·xᵀ.
    let expected = points.reduce(0.0) { $0 + 0.5 * (1 + $1.reduce(0) { $0 + Double($1 * $1) }) } / 3
    #expect(abs(try PhenomenaProbes.fisherTrace(network, inputs, seed: 0, epoch: 0) - expected) < 1e-6)
    try withoutGradients { try network.tensors[1].copy(from: Tensor([Float(50), -50])) }
    #expect(try PhenomenaProbes.fisherTrace(network, inputs, seed: 0, epoch: 0) < 1e-12)
  }

  @Test("A sine has its amplitude at its own frequency and nothing elsewhere")
  func amplitudes() {
    let values = (0..<128).map { 2 * sine(2 * .pi * 3 * Double($0) / 128 + 1) }
    #expect(abs(PhenomenaProbes.amplitude(values, 3) - 128) < 1e-9)
    for other in [0, 1, 2, 4, 6] { #expect(PhenomenaProbes.amplitude(values, other) < 1e-9) }
  }

  @Test("Noise changes the classes of so many points, and nothing else")
  func noise() throws {
    let plain = try TeacherTask(samples: 100, heldOut: 50, features: 10, classes: 4, seed: 3)
    let noisy = try TeacherTask(samples: 100, heldOut: 50, features: 10, classes: 4, noise: 0.2, seed: 3)
    #expect(zip(plain.labels, noisy.labels).count { $0 != $1 } == 20)
    #expect(Set(noisy.labels) == [0, 1, 2, 3] && plain.heldOutLabels == noisy.heldOutLabels)
    #expect(try plain.training.array(Float.self) == noisy.training.array(Float.self))
  }

  @Test("Low frequencies are learnt first")
  func frequencies() throws {
    var probes = PhenomenaProbes(seed: 5)
    probes.sizes.frequencies = 450
    let found = try probes.frequencies()
    #expect(found.isSeen && found.learntAt[0] ?? .max < found.learntAt[1] ?? 0 && found.learntAt[2] == nil)
    #expect(found.epochs.count == 46 && found.errors.allSatisfy { $0.count == 3 })
  }

  @Test("Equal seeds measure the same, other seeds something else, and a check that throws ends it")
  func deterministic() throws {
    let sizes = PhenomenaProbes.Sizes(atMost: 3)
    func json(_ seed: Int) throws -> Data {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return try encoder.encode(PhenomenaProbes(seed: seed, sizes: sizes).measure())
    }
    #expect(try json(1) == json(1))
    #expect(try json(1) != json(2))
    let found = try PhenomenaProbes(seed: 1, sizes: sizes).measure()
    #expect(found.criticalPeriod.traces.count == 4 && found.channels.wide.curve.count == 4)
    #expect(found.descent.heldOut.count == found.descent.widths.count && found.descent.epochs.last == 3)
    #expect(throws: Interrupted.self) {
      try PhenomenaProbes(seed: 1, sizes: sizes) { throw Interrupted(signal: SIGINT, saved: nil) }.measure()
    }
  }

  @Test("What counts as seen, and what does not")
  func seen() {
    typealias Summary = PhenomenaSummary
    #expect(Summary.CriticalPeriod(traces: [1, 3, 2, 1, 0.5]).isSeen)
    #expect(!Summary.CriticalPeriod(traces: [3, 2, 1, 0.5, 0.1]).isSeen)
    #expect(!Summary.CriticalPeriod(traces: [1, 2, 3, 4, 5]).isSeen)
    #expect(!Summary.CriticalPeriod(traces: [1, 3, 2.9, 2.8, 2.7]).isSeen)
    func frequencies(_ errors: [[Double]]) -> Summary.Frequencies {
      .init(frequencies: [1, 3], epochs: Array(errors.indices), errors: errors)
    }
    #expect(frequencies([[1, 1], [0.1, 1], [0.1, 0.1]]).isSeen)
    #expect(!frequencies([[1, 1], [1, 0.1], [0.1, 0.1]]).isSeen)
    #expect(!frequencies([[1, 1], [0.1, 0.1]]).isSeen)
    #expect(!frequencies([[1, 1], [1, 0.1]]).isSeen)
    func grokking(_ training: [Double], _ heldOut: [Double]) -> Bool {
      Summary.Grokking(epochs: training.indices.map { 10 * $0 }, training: training, heldOut: heldOut).isSeen
    }
    #expect(grokking([1, 99, 99, 99, 99, 99], [1, 1, 1, 1, 1, 99]))
    #expect(!grokking([1, 99, 99, 99], [1, 1, 1, 99]))
    #expect(!grokking([1, 99, 99, 99], [1, 1, 1, 1]))
    func descent(_ errors: [Double]) -> Bool {
      Summary.Descent(
        widths: Array(errors.indices), training: errors, heldOut: errors, epochs: [], heldOutByEpoch: []
      ).isSeen
    }
    #expect(descent([60, 40, 50, 42]))
    #expect(!descent([60, 40, 42, 38]) && !descent([60, 50, 40, 30]) && !descent([40, 50, 60, 55]) && !descent([]))
  }
}
