import Networks
import Support
import Testing
import Transfer

@Suite struct ExtrapolationTests {
  @Test("Stacking rules make deeper stages as the specification says")
  func stacking() {
    let values = [0.4, 0.8, 1.0]
    #expect(Stacking.lastBlock.stacked(values, count: 5) == [0.4, 0.8, 1, 1, 1])
    #expect(Stacking.averageBlock.stacked(values, count: 5) == [0.4, 0.8, 1, 0.9, 0.9])
    #expect(Stacking.averageBlockReplacing.stacked(values, count: 5) == [0.4, 0.9, 0.9, 0.9, 0.9])
    #expect(Stacking.averageBlock.stacked(values, count: 3) == values)
    for rule in Stacking.allCases {
      #expect(rule.stacked([0.7], count: 3) == [0.7, 0.7, 0.7], "one block has nothing to average")
      #expect(rule.stacked([1, 1, 1], count: 6) == Array(repeating: 1, count: 6))
      #expect(rule.stacked([0.5, 0.9], count: 4) == [0.5, 0.9, 0.9, 0.9], "two blocks: both rules agree")
      #expect(rule.stacked([], count: 2).isEmpty)
      #expect(Stacking(rawValue: rule.rawValue) == rule)
    }
    #expect(Stacking.lastBlock.stacked(values, count: 2) == [0.4, 0.8])
    #expect(Stacking(rawValue: "first-block") == nil)
  }

  @Test(
    "Uniform widths come out as the target itself, whatever the depth and the rule",
    arguments: ["resnet18", "resnet50", "mobilenet_v2", "efficientnet_b3", "vgg16_bn", "resnet20"])
  func uniform(name: String) throws {
    let target = try NetworkZoo.network(named: name).scalingDepth(by: 2)
    let source = try Projection(width: 0.5, depth: 0.5).applied(to: target)
    for rule in Stacking.allCases {
      #expect(
        try Extrapolation.multipliers([:], from: source, to: target, stacking: rule).values.allSatisfy { $0 == 1 })
      let result = try Extrapolation.match(widths: Widths(), from: source, to: target, stacking: rule)
      #expect(result.network == target)
      #expect(abs(result.scale - 1) < 1e-4)
    }
  }

  @Test("The worked FLOPs match of the specification, transferred from a network of half the width")
  func workedExample() throws {
    let target = try NetworkZoo.network(named: "resnet18")
    let source = try target.scalingWidth(by: 0.5)
    let result = try Extrapolation.match(multipliers: workedMultipliers(source), from: source, to: target)
    #expect(result.macs == 1_810_577_152)
    #expect(abs(result.scale - 1.037) < 1e-3)
    #expect(
      try result.network.widthGroups.map(\.width) == [40, 32, 48, 80, 104, 104, 240, 264, 296, 640, 848, 744])
  }

  @Test("Widths times a common factor give the same target")
  func scaleInvariance() throws {
    let source = try NetworkZoo.network(named: "mobilenet_v2")
    let target = try source.scalingDepth(by: 2).scalingWidth(by: 1.414)
    let multipliers = try randomMultipliers(source, seed: 1)
    let plain = try Extrapolation.match(multipliers: multipliers, from: source, to: target)
    let tripled = try Extrapolation.match(multipliers: multipliers.mapValues { 3 * $0 }, from: source, to: target)
    #expect(plain.widths == tripled.widths)
  }

  @Test("Searched widths at equal size come back as they are when their cost is kept")
  func direct() throws {
    let network = try NetworkZoo.network(named: "resnet50")
    var widths = Widths()
    for (index, group) in try network.widthGroups.enumerated() {
      widths[group.id] = group.width / 2 + 8 * (index % 5)
    }
    let searched = try network.with(widths)
    let result = try Extrapolation.match(widths: widths, from: network, to: network, targetMACs: searched.cost().macs)
    #expect(result.network == searched)
    #expect(result.relativeError == 0)
  }

  @Test("Blocks and outputs land where they belong in a deeper network whose layers have other names")
  func addresses() throws {
    let source = try NetworkZoo.network(named: "mobilenet_v2")
    let target = try source.scalingDepth(by: 2)
    var multipliers: [WidthGroup.ID: Double] = [:]
    for group in try source.widthGroups {
      multipliers[group.id] = 0.5 + 0.1 * Double(group.stage ?? 9) + 0.01 * Double(group.block ?? 50)
    }
    for rule in [Stacking.averageBlock, .lastBlock] {
      let result = try Extrapolation.multipliers(multipliers, from: source, to: target, stacking: rule)
      for group in try target.widthGroups {
        let count = group.stage.map { source.stages[$0].blocks.count } ?? 0
        let block = group.block.map {
          $0 < count ? Double($0) : rule == .lastBlock ? Double(count - 1) : Double(count) / 2
        }
        let expected = 0.5 + 0.1 * Double(group.stage ?? 9) + 0.01 * (block ?? 50)
        #expect(abs((result[group.id] ?? 0) - expected) < 1e-12, "\(rule) \(group.id)")
      }
    }
  }

  @Test("A stage whose depth stays keeps each block's own width, whatever the rule", arguments: Stacking.allCases)
  func keptDepth(rule: Stacking) throws {
    let network = try NetworkZoo.network(named: "resnet20")
    let multipliers = try randomMultipliers(network, seed: 5)
    let found = try Extrapolation.multipliers(multipliers, from: network, to: network, stacking: rule)
    for group in try network.resolved().widthGroups { #expect(found[group.id] == multipliers[group.id], "\(group.id)") }
  }

  @Test("VGG stages of one block carry over to deeper ones and back")
  func singleBlocks() throws {
    let deep = try NetworkZoo.network(named: "vgg16_cifar", classes: 10)
    let shallow = try deep.scalingDepth(by: 0.5)
    let shallowMultipliers = try randomMultipliers(shallow, seed: 2)
    let up = try Extrapolation.match(multipliers: shallowMultipliers, from: shallow, to: deep)
    #expect(abs(up.relativeError) < 0.01)
    let stacked = try Extrapolation.multipliers(shallowMultipliers, from: shallow, to: deep, stacking: .averageBlock)
    #expect(stacked["features.0"] == stacked["features.3"])
    let down = try Extrapolation.match(multipliers: randomMultipliers(deep, seed: 3), from: deep, to: shallow)
    #expect(abs(down.relativeError) < 0.01)
  }

  @Test(
    "Random widths from half-size sources meet the target's cost within one percent",
    arguments: ["resnet18", "resnet50", "resnet101", "mobilenet_v2", "efficientnet_b3", "vgg16_bn"])
  func withinOnePercent(name: String) throws {
    let target = try NetworkZoo.network(named: name)
    let source = try Projection(width: 0.707, depth: 0.5, resolution: 160).applied(to: target)
    for seed in 0..<4 {
      let result = try Extrapolation.match(
        multipliers: randomMultipliers(source, seed: UInt64(seed)), from: source, to: target)
      #expect(abs(result.relativeError) < 0.01)
      #expect(try result.network.cost().macs == result.macs)
      #expect(result.widths.values.values.allSatisfy { $0 >= 8 })
    }
  }

  @Test("Networks of different families are refused, and so are foreign widths")
  func refusals() throws {
    let resnet = try NetworkZoo.network(named: "resnet18")
    let mobile = try NetworkZoo.network(named: "mobilenet_v2")
    let bottleneck = try NetworkZoo.network(named: "resnet50")
    let stages = #expect(throws: NetworkFailure.self) {
      try Extrapolation.match(widths: Widths(), from: mobile, to: resnet)
    }
    #expect(stages?.message.contains("one family") == true)
    let roles = #expect(throws: NetworkFailure.self) {
      try Extrapolation.match(widths: Widths(), from: resnet, to: bottleneck)
    }
    #expect(roles?.message.contains("one family") == true)
    #expect(throws: NetworkFailure.self) { try Extrapolation.match(widths: ["fc": 8], from: resnet, to: resnet) }
    #expect(throws: NetworkFailure.self) { try Extrapolation.match(multipliers: ["fc": 0.5], from: resnet, to: resnet) }
    #expect(throws: NetworkFailure.self) {
      try Extrapolation.match(multipliers: ["conv1": -0.5], from: resnet, to: resnet)
    }
  }

  private func workedMultipliers(_ network: Network) throws -> [WidthGroup.ID: Double] {
    let out = [0.6, 0.8, 1.0, 1.6]
    let inner = [[0.5, 0.7], [0.6, 0.8], [0.9, 1.1], [1.2, 1.4]]
    var multipliers: [WidthGroup.ID: Double] = [:]
    for group in try network.widthGroups {
      guard let stage = group.stage else { continue }
      multipliers[group.id] = group.block.map { inner[stage][$0] } ?? out[stage]
    }
    return multipliers
  }

  private func randomMultipliers(_ network: Network, seed: UInt64) throws -> [WidthGroup.ID: Double] {
    var generator = SeededGenerator(seed: seed)
    return Dictionary(
      uniqueKeysWithValues: try network.widthGroups.map { ($0.id, 0.3 + 1.4 * generator.nextUnit()) })
  }
}
