import Diagnosis
import Networks
import Testing
import Torch

@testable import Merging
@testable import Training

@Suite struct ChannelWidthAdapterTests {
  private func base(_ name: String = "vgg11_cifar") throws -> ResolvedNetwork {
    try NetworkZoo.resolved(named: name, classes: 5).network.scalingWidth(by: 0.125, divisor: 4).resolved()
  }

  /// Numbers of the parameters' shapes, every entry another.
  private func counted(_ model: Model) throws -> [String: Tensor] {
    var next = 1.0
    return try Dictionary(
      uniqueKeysWithValues: model.parameters.map { parameter in
        let count = parameter.tensor.shape.reduce(1, *)
        defer { next += Double(count) }
        return (parameter.name, try Tensor((0..<count).map { next + Double($0) }, shape: parameter.tensor.shape))
      })
  }

  @Test("New channels begin without momentum, and with the squares of the channel that they come from")
  func growsMoments() throws {
    let model = try Model(base(), seed: 3)
    let group = model.plan.resolved.widthGroups[1]
    let change = WidthChange(group.id, from: group.width, to: group.width + 4, .decreaseToSaturate)
    let values = try counted(model)
    let adapter = ChannelWidthAdapter(seed: 1)
    let after = try adapter.carryOut(
      [change], on: model, [.init(startsAtZero: true, values), .init(startsAtZero: false, values)])
    #expect(after.model.plan.resolved.widthGroup(group.id)?.width == group.width + 4)
    let sources = try ChannelGrowth(group.id, by: 4, seed: 1).applied(to: model).sources
    for parameter in after.model.parameters {
      let (first, second) = (after.moments[0].tensors[parameter.name], after.moments[1].tensors[parameter.name])
      #expect(first?.shape == parameter.tensor.shape && second?.shape == parameter.tensor.shape, "\(parameter.name)")
    }
    let weight = "\(group.id).weight"
    let (first, second) = (after.moments[0].tensors[weight], after.moments[1].tensors[weight])
    let old = try #require(values[weight])
    for (channel, source) in sources.enumerated() {
      let expected = try old.slice(0, source..<source + 1).array(Double.self)
      #expect(try second?.slice(0, channel..<channel + 1).array(Double.self) == expected)
      let isNew = channel >= group.width
      #expect(
        try first?.slice(0, channel..<channel + 1).array(Double.self) == (isNew ? expected.map { _ in 0 } : expected))
    }
  }

  @Test("Copies that were added are merged away again, and the model computes the same all along")
  func thereAndBack() throws {
    for name in ["vgg11_cifar", "resnet20", "mobilenet_v2_cifar"] {
      let model = try Model(base(name), seed: 3)
      try randomizeStatistics(model)
      let images = try Tensor.normal([2, 3, 32, 32], generator: Generator(seed: 5))
      let before = try output(model, images)
      let scale = before.map(abs).max() ?? 0
      let network = model.plan.resolved
      for group in network.mergeableGroups(.all).prefix(3) {
        let wider = try ChannelGrowth(group.id, by: 3, noise: 0).applied(to: model).model
        let change = WidthChange(group.id, from: group.width + 3, to: group.width, .increaseToSaturate)
        let after = try ChannelWidthAdapter().carryOut([change], on: wider, [.init(startsAtZero: true, counted(wider))])
        #expect(after.model.plan.resolved.widths == network.widths)
        expectClose(before, try output(after.model, images), 1e-5 * scale)
        // Three merged channels at the end, the others as they were.
        let weight = "\(group.layers[0]).weight"
        let rows = try #require(after.moments[0].tensors[weight])
        let zeros = try rows.slice(0, group.width - 3..<group.width)
        #expect(try zeros.array(Double.self).allSatisfy { $0 == 0 })
        #expect(try rows.slice(0, 0..<group.width - 3).array(Double.self).allSatisfy { $0 > 0 })
      }
    }
  }
}
