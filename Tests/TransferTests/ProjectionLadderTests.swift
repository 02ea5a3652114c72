import Networks
import Testing

@testable import Transfer

@Suite struct ProjectionLadderTests {
  private static func target(_ name: String, _ resolution: Int?) throws -> ResolvedNetwork {
    try NetworkZoo.network(named: name, resolution: resolution).resolved()
  }

  @Test(
    "Every rung is cheaper than the one before, and leaves enough to search on",
    arguments: [
      ("resnet20", nil, 1, 10_000), ("resnet18", nil, 8, 100_000), ("mobilenet_v2", nil, 8, 4000),
      ("vgg16_cifar", nil, 8, 600), ("efficientnet_b0", nil, 8, 20_000),
    ] as [(String, Int?, Int, Int)])
  func rungs(name: String, resolution: Int?, divisor: Int, steps: Int) throws {
    let target = try Self.target(name, resolution)
    let rungs = ProjectionLadder(for: target, divisor: divisor, steps: steps).rungs
    #expect(rungs.first == .identity)
    #expect(rungs.count > 3)
    var cost = Double.infinity
    for rung in rungs {
      let source = try rung.applied(to: target, divisor: divisor)
      let own = Double(source.cost.macs) * rung.data
      #expect(own < cost)
      cost = own
      #expect(rung.data == 1 || Double(steps) * rung.data >= 500)
      #expect(source.widthGroups.allSatisfy { $0.width >= 4 })
      // What the classifier's mean sees.
      let pooled = source.layers.first { $0.layer.operation == .globalAveragePool }
      #expect((pooled?.inputs[0].height ?? 4) >= 4 || source.input.height == target.input.height)
    }
  }

  @Test("What cannot be made smaller is left, and the rest goes on")
  func limits() throws {
    // Two pixels are left at the end, which stay two, and 400 steps in all.
    let small = try Self.target("resnet18", 64)
    let rungs = ProjectionLadder(for: small, divisor: 8, steps: 400).rungs
    #expect(rungs.allSatisfy { $0.data == 1 })
    #expect(
      try rungs.allSatisfy { try $0.applied(to: small).layers.last { $0.output.height > 1 }?.output.height == 2 })
    #expect(rungs.contains { $0.width < 1 } && rungs.contains { $0.depth < 1 })
    let asked = ProjectionLadder(for: small, divisor: 8, steps: 400) { $0.depth == 1 }.rungs
    #expect(asked.allSatisfy { $0.depth == 1 } && asked.contains { $0.width < 1 })
  }
}
