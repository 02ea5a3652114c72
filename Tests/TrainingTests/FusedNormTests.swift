import Networks
import Testing
import Torch

@testable import Training

/// Batch normalization together with what is behind it, against LibTorch's single operations in double precision.
@Suite struct FusedNormTests {
  private typealias Activation = Tensor.FusedActivation

  /// The result, the derivatives for input, scale, shift and what is added, and the running statistics.
  private func outcome(
    _ values: [Tensor], _ activation: Activation, in type: ScalarType, fused: Bool
  ) throws -> [Tensor] {
    let channels = values[1].shape[0]
    let leaves = try values.map { value in
      let leaf = try (value.detached() * 1).to(type)
      try leaf.setRequiresGradient(true)
      return leaf
    }
    let mean = try Tensor.zeros([channels]).to(type)
    let variance = try Tensor.ones([channels]).to(type)
    let residual = leaves.count > 4 ? leaves[4] : nil
    var result: Tensor
    if fused {
      result = try leaves[0].fusedBatchNorm(
        weight: leaves[1], bias: leaves[2], adding: residual, runningMean: mean, runningVariance: variance,
        momentum: 0.3,
        epsilon: 1e-3, activation: activation)
    } else {
      result = try leaves[0].batchNorm(
        weight: leaves[1], bias: leaves[2], runningMean: mean, runningVariance: variance, training: true, momentum: 0.3,
        epsilon: 1e-3)
      if let residual { result = try result + residual }
      switch activation {
      case .none: break
      case .relu: result = try result.relu()
      case .relu6: result = try result.relu6()
      case .hardSwish: result = try result.hardSwish()
      case .silu: result = try result.silu()
      }
    }
    try (result * leaves[3].detached()).sum().backward()
    let used = leaves.enumerated().filter { $0.offset != 3 }.map(\.element)
    return try [result.detached(), mean, variance] + used.map { try #require($0.gradient) }
  }

  private func values(channels: Int, batch: Int, height: Int, width: Int, adds: Bool, offset: Float = 0.4) throws
    -> [Tensor]
  {
    let shape = [batch, channels, height, width]
    let seed = UInt64(channels * 100 + height)
    // Far from zero: the second moment alone would lose the deviations.
    let input = try (noise(shape, seed: seed) * 2 + Double(offset)).contiguous(.channelsLast)
    let scale = try noise([channels], seed: seed + 1) + 1.5
    let shift = try noise([channels], seed: seed + 2)
    let behind = try noise(shape, seed: seed + 3).contiguous(.channelsLast)
    let residual = try noise(shape, seed: seed + 4).contiguous(.channelsLast)
    return [input, scale, shift, behind] + (adds ? [residual] : [])
  }

  @Test("Results, derivatives and statistics are those of single operations in double precision", arguments: 1...41)
  func matches(channels: Int) throws {
    for (activation, adds) in [
      (Activation.none, false), (.relu, false), (.relu6, false), (.hardSwish, false), (.silu, false), (.relu, true),
      (.none, true), (.hardSwish, true), (.silu, true),
    ] {
      // 3 · 7 · 5 rows leave some behind the last whole period; 3 · 61 · 13 are several parts.
      for (height, width) in channels % 5 == 1 ? [(7, 5), (61, 13)] : [(7, 5)] {
        let given = try values(channels: channels, batch: 3, height: height, width: width, adds: adds)
        let found = try outcome(given, activation, in: .float32, fused: true)
        let expected = try outcome(given, activation, in: .float64, fused: false)
        for (index, (one, other)) in zip(found, expected).enumerated() {
          let distance = try one.to(.float64).relativeDistance(to: other)
          #expect(distance < 3e-5, "\(activation) \(adds) \(height)×\(width), \(index): \(distance)")
        }
      }
    }
  }

  @Test("SiLU of anything is that of LibTorch to two units of the last place")
  func saturated() throws {
    let values =
      (-4000...4000).map { Float($0) * 0.05 } + [1e-30, -1e-30, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
    let count = values.count
    // The batch's own mean and deviation are undone, so that the values come through as they are.
    let input = try Tensor([Float](repeating: -1, count: count) + [Float](repeating: 1, count: count))
      .reshaped([2, count])
    let ones = try Tensor.ones([count])
    let halves = try Tensor(values)
    let found = try input.fusedBatchNorm(
      weight: halves, bias: ones * 0, runningMean: nil, runningVariance: nil, epsilon: 0, activation: .silu)
    let expected = try Tensor(values.map { -$0 } + values).reshaped([2, count]).to(.float64).silu().to(.float32)
    for (one, other) in zip(try found.floats, try expected.floats) where abs(other) > 1e-30 {
      #expect(abs(one - other) <= 3 * abs(other).ulp, "\(one) \(other)")
    }
  }

  @Test("A mean far from zero does not swallow the deviations", arguments: [100, 1e4] as [Float])
  func farMean(offset: Float) throws {
    let given = try values(channels: 5, batch: 4, height: 9, width: 11, adds: false, offset: offset)
    let found = try outcome(given, .relu, in: .float32, fused: true)
    let expected = try outcome(given, .relu, in: .float64, fused: false)
    #expect(try found[0].to(.float64).relativeDistance(to: expected[0]) < Double(offset) * 1e-6)
    #expect(try found[2].to(.float64).relativeDistance(to: expected[2]) < 1e-5)
  }

  @Test("A first value far from all others does not swallow their deviations", arguments: [100, -1e4] as [Float])
  func outlier(first: Float) throws {
    var given = try values(channels: 5, batch: 3, height: 61, width: 13, adds: false)
    // One channel alone, the others being as they were: of the first value it has, and of one more, the deviations are thousandths.
    let flat = try given[0].contiguous().slice(1, 2..<3) * 1e-3
    try flat.slice(0, 0..<1).slice(2, 0..<1).slice(3, 0..<1).copy(from: Tensor.zeros([1, 1, 1, 1]) + Double(first))
    let whole = try given[0].contiguous()
    given[0] = try Tensor.concatenate([whole.slice(1, 0..<2), flat, whole.slice(1, 3..<5)], 1).contiguous(
      .channelsLast)
    let found = try outcome(given, .none, in: .float32, fused: true)
    let expected = try outcome(given, .none, in: .float64, fused: false)
    for index in [1, 2] {
      let distance = try found[index].to(.float64).relativeDistance(to: expected[index])
      #expect(distance < 5e-6, "\(index): \(distance)")
    }
  }

  @Test("Other types, layouts, features and single rows are computed as well, or refused as by LibTorch")
  func others() throws {
    let given = try values(channels: 6, batch: 3, height: 4, width: 5, adds: true)
    let expected = try outcome(given, .relu, in: .float64, fused: false)
    let double = try outcome(given, .relu, in: .float64, fused: true)
    for (one, other) in zip(double, expected) { #expect(try one.relativeDistance(to: other) < 1e-12) }
    let rowMajor = try outcome(given.map { try $0.contiguous() }, .relu, in: .float32, fused: true)
    for (one, other) in zip(rowMajor, expected) { #expect(try one.to(.float64).relativeDistance(to: other) < 3e-5) }
    let features = try [noise([17, 6], seed: 1), given[1], given[2], noise([17, 6], seed: 2)]
    for (one, other) in zip(
      try outcome(features, .none, in: .float32, fused: true), try outcome(features, .none, in: .float64, fused: false))
    { #expect(try one.to(.float64).relativeDistance(to: other) < 3e-5) }
    // What is no number is seen in the result.
    for number in [Double.nan, .infinity, -.infinity] {
      for activation in [Tensor.FusedActivation.none, .relu, .relu6, .hardSwish] {
        let broken = try Tensor.ones([2, 6, 2, 2]).contiguous(.channelsLast) * number
        #expect(
          try broken.fusedBatchNorm(
            weight: given[1], bias: given[2], runningMean: nil, runningVariance: nil, activation: activation
          ).sum().item().isNaN, "\(number) \(activation)")
      }
    }
  }

  @Test("Sums do not depend on the number of threads")
  func threads() throws {
    let given = try values(channels: 24, batch: 8, height: 31, width: 33, adds: true)
    let before = Torch.threads
    defer { try? Torch.setThreads(before) }
    try Torch.setThreads(1)
    let one = try outcome(given, .relu, in: .float32, fused: true).map { try $0.floats }
    try Torch.setThreads(2)
    #expect(try outcome(given, .relu, in: .float32, fused: true).map { try $0.floats } == one)
  }

  @Test(
    "A fused network is as near to double precision as the plain one, forward and backward, at full width and narrower",
    arguments: ["resnet20", "mobilenet_v2_cifar", "vgg11_cifar", "efficientnet_b0_cifar"])
  func networks(name: String) throws {
    let network = try NetworkZoo.network(named: name, classes: 10).scalingWidth(by: 0.3, divisor: 1)
    let exact = try Model(network, seed: 1, scalarType: .float64, fuses: false)
    let plain = try Model(network, seed: 1, fuses: false)
    let fused = try Model(network, seed: 1)
    #expect(fused.plan.steps.count < plain.plan.steps.count)
    let images = try noise([16, 3, network.input.height, network.input.width]).contiguous(.channelsLast)
    let labels = try Tensor((0..<16).map { Int64($0 * 7 % 10) })
    let narrow = Widths(
      Dictionary(uniqueKeysWithValues: fused.plan.resolved.widthGroups.map { ($0.id, max(1, $0.width * 2 / 3)) }))
    for widths in [nil, narrow] {
      let options = ForwardOptions(widths == nil ? .training : .batch)
      let gradients = try [exact, plain, fused].map { model in
        try Tensor.clearGradients(model.tensors)
        let plan = try widths.map { try ExecutionPlan(model.plan.resolved.network(with: $0), fuses: model.plan.fuses) }
        let input = try images.to(model === exact ? .float64 : .float32)
        try model.forward(input, as: plan, options).crossEntropy(labels).backward()
        return try model.tensors.map { try #require($0.gradient).to(.float64) }
      }
      func distance(_ index: Int) throws -> Double {
        try zip(gradients[index], gradients[0]).reduce(0) { largest, pair in
          let part: Double = try (pair.0 - pair.1).abs().sum().item() / max(1e-3, try pair.1.abs().sum().item())
          return part.isNaN ? .infinity : max(largest, part)
        }
      }
      let (one, other) = (try distance(1), try distance(2))
      #expect(other < 4 * one + 1e-4, "plain \(one), fused \(other)")
    }
    for (index, variance) in exact.statistics.variances.enumerated() {
      #expect(try fused.statistics.variances[index].to(.float64).relativeDistance(to: variance) < 1e-4)
    }
  }
}
