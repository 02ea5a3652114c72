import Diagnosis
import Networks
import Support
import Testing
import Torch

@testable import Merging
@testable import Training

@Suite struct ChannelGrowthTests {
  @Test(arguments: ["vgg11_cifar", "resnet20", "mobilenet_v2_cifar", "efficientnet_b0_cifar"])
  func aWiderModelComputesTheSame(_ name: String) throws {
    let base = try NetworkZoo.resolved(named: name, classes: 5).network.scalingWidth(by: 0.25, divisor: 4).resolved()
    let model = try Model(base, seed: 3)
    try randomizeStatistics(model)
    let images = try Tensor.normal([2, 3, 32, 32], generator: Generator(seed: 5))
    let before = try output(model, images)
    let scale = before.map(abs).max() ?? 0
    #expect(scale > 0)
    for group in base.mergeableGroups(.all) {
      // More copies than channels: some are copied twice.
      let outcome = try ChannelGrowth(group.id, by: group.width + 1, noise: 0).applied(to: model)
      #expect(outcome.model.plan.resolved.widthGroup(group.id)?.width == 2 * group.width + 1)
      #expect(outcome.sources.prefix(group.width).elementsEqual(0..<group.width))
      expectClose(before, try output(outcome.model, images), 1e-5 * scale)
    }
  }

  /// A map beside its own maxima, as in a pyramid of pools: each channel stands twice among those that the next layer reads.
  @Test func aChannelThatStandsTwiceGrowsTwice() throws {
    let network = Network(
      name: "twice", input: Shape(channels: 3, height: 6, width: 6),
      layers: [
        Layer(
          name: "conv", operation: .convolution(Convolution(outputChannels: 6, kernelSize: 3, padding: 1)),
          inputs: ["input"]),
        Layer(name: "pool", operation: .maxPool(Pool(kernelSize: 3, stride: 1, padding: 1)), inputs: ["conv"]),
        Layer(name: "both", operation: .concatenate, inputs: ["conv", "pool"]),
        Layer(name: "next", operation: .convolution(Convolution(outputChannels: 4, kernelSize: 1)), inputs: ["both"]),
        Layer(name: "mean", operation: .globalAveragePool, inputs: ["next"]),
        Layer(name: "flat", operation: .flatten, inputs: ["mean"]),
        Layer(name: "out", operation: .linear(Linear(outputFeatures: 3)), inputs: ["flat"]),
      ])
    let model = try Model(network.resolved(), seed: 3)
    let images = try Tensor.normal([2, 3, 6, 6], generator: Generator(seed: 5))
    let before = try output(model, images)
    let outcome = try ChannelGrowth("conv", by: 2, noise: 0).applied(to: model)
    expectClose(before, try output(outcome.model, images), 1e-5)
    // And back: copies are taken away exactly.
    var settings = MergeSettings()
    settings.scope = .all
    var merger = try FeatureMerger(outcome.model, settings: settings)
    let narrowed = try merger.narrow("conv", to: 6)
    expectClose(before, try output(narrowed.model, images), 1e-5)
  }

  @Test func theStrongestIsCopiedWithALittleNoise() throws {
    let base = try NetworkZoo.resolved(named: "vgg11_cifar", classes: 5).network.scalingWidth(by: 0.125).resolved()
    let model = try Model(base, seed: 3)
    let group = base.widthGroups[1]
    let weight = "\(group.id).weight"
    try withoutGradients { try model.tensor(named: weight).slice(0, 5..<6).multiply(inPlace: 9) }
    let wider = try ChannelGrowth(group.id, by: 2, seed: 1).applied(to: model)
    #expect(wider.sources[group.width] == 5)
    let grown = try wider.model.tensor(named: weight)
    let (own, copy) = (try grown.slice(0, 5..<6), try grown.slice(0, group.width..<group.width + 1))
    let difference = try (copy - own).relativeDeviation(of: own)
    #expect(difference > 0.005 && difference < 0.02)
    #expect(throws: UsageFailure.self) { try ChannelGrowth("nothing", by: 1).applied(to: model) }
    #expect(throws: UsageFailure.self) { try ChannelGrowth(group.id, by: 0).applied(to: model) }
  }
}

extension Tensor {
  /// The root mean square, as a part of another tensor's.
  fileprivate func relativeDeviation(of other: Tensor) throws -> Double {
    try withoutGradients { try (self * self).mean().item().squareRoot() / (other * other).mean().item().squareRoot() }
  }
}
