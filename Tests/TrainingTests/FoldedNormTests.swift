import Networks
import Testing
import Torch

@testable import Training

/// Evaluation with batch normalizations taken into the convolutions before them, against evaluation layer by layer.
@Suite struct FoldedNormTests {
  private func restless(_ model: Model) throws -> BatchStatistics {
    let statistics = model.statistics
    try withoutGradients {
      for (index, mean) in statistics.means.enumerated() {
        try mean.copy(from: noise(mean.shape, seed: UInt64(index)) * 0.3)
        try statistics.variances[index].copy(from: noise(mean.shape, seed: UInt64(1000 + index)).abs() + 0.4)
      }
      for (index, parameter) in model.parameters.enumerated() where parameter.tensor.rank == 1 {
        try parameter.tensor.add(inPlace: noise(parameter.tensor.shape, seed: UInt64(index)), times: 0.3)
      }
    }
    return statistics
  }

  @Test(
    "The folded network is the network, at full width and narrower, fused or layer by layer",
    arguments: ["resnet20", "mobilenet_v2_cifar", "efficientnet_b0_cifar", "vgg11_cifar"], [true, false])
  func equality(name: String, fuses: Bool) throws {
    let network = try NetworkZoo.network(named: name, classes: 10).scalingWidth(by: 0.5, divisor: 2)
    let model = try Model(network.resolved(), seed: 1, fuses: fuses)
    let statistics = try restless(model)
    let before: [[Float]] = try model.tensors.map { try $0.array() }
    let images = try noise([4, 3, network.input.height, network.input.width]).contiguous(.channelsLast)
    let narrower = try ExecutionPlan(network.scalingWidth(by: 0.6, divisor: 1), fuses: fuses)
    for (plan, own) in [(nil, nil), (narrower, nil)] as [(ExecutionPlan?, BatchStatistics?)] {
      try withoutGradients {
        var options = ForwardOptions(.evaluation, statistics: own)
        let expected = try model.forward(images, as: plan, options)
        options.folded = ForwardOptions.FoldedWeights()
        let folded = try model.forward(images, as: plan, options)
        #expect(try folded.relativeDistance(to: expected) < 2e-5)
      }
    }
    // All the convolutions of these networks that have a normalization behind them, and no weight is changed by any of it.
    let steps = model.plan.steps
    let expected = steps.filter { if case .batchNorm = $0.instruction { true } else { false } }.count
    #expect(steps.count { $0.normalizer != nil } == expected && expected > 5)
    #expect(statistics === model.statistics)
    let after: [[Float]] = try model.tensors.map { try $0.array() }
    #expect(after == before)
  }

  @Test("A convolution whose result others read, or that is wanted afterwards, stays as it is")
  func exceptions() throws {
    var builder = try NetworkZoo.network(named: "resnet20", classes: 10).scalingWidth(by: 0.25, divisor: 2)
    builder.name = "kept"
    let model = try Model(builder.resolved(), seed: 3)
    _ = try restless(model)
    let images = try noise([2, 3, 32, 32]).contiguous(.channelsLast)
    let first = try #require(model.plan.steps.firstIndex { $0.normalizer != nil })
    var kept = [Bool](repeating: false, count: model.plan.slotCount)
    kept[model.plan.steps[first].result] = true
    try withoutGradients {
      var options = ForwardOptions(.evaluation)
      var (plain, folded) = ([Tensor?](repeating: nil, count: kept.count), [Tensor?](repeating: nil, count: kept.count))
      let expected = try model.run(nil, on: images, &plain, kept: kept, options)
      options.folded = ForwardOptions.FoldedWeights()
      let result = try model.run(nil, on: images, &folded, kept: kept, options)
      let slot = model.plan.steps[first].result
      #expect(try #require(folded[slot]).floats == #require(plain[slot]).floats)
      #expect(try result.relativeDistance(to: expected) < 2e-5)
    }
  }
}
