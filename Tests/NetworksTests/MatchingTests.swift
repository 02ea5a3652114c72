import Support
import Testing

@testable import Networks

@Suite struct MatchingTests {
  @Test("The worked example of the specification comes out to the unit")
  func workedExample() throws {
    let network = try NetworkZoo.network(named: "resnet18")
    let multipliers = try workedMultipliers(network)
    let target = try network.cost().macs
    let base = try network.widthGroups.map { Double($0.width) * (multipliers[$0.id] ?? 1) }
    let polynomial = try RelaxedCost(network)
    #expect(abs(polynomial.evaluate(base) / 1e6 - 1690.105) < 5e-4)
    let start = try #require(polynomial.scale(matching: Double(target), widths: base))
    #expect(abs(start - 1.036806) < 5e-7)

    let match = try network.matching(macs: target, multipliers: multipliers)
    #expect(match.macs == 1_810_577_152)
    #expect(abs(match.scale - 1.037) < 1e-3)
    #expect(abs(match.relativeError + 0.0019) < 5e-5)
    let groups = try match.network.widthGroups
    #expect(groups.filter { $0.role == "out" }.map(\.width) == [40, 104, 264, 848])
    #expect(
      groups.filter { $0.role == "inner" }.map(\.width) == [32, 48, 80, 104, 240, 296, 640, 744])
    #expect(try match.network.cost().macs == match.macs)
    #expect(try match.network.widths == match.widths)
  }

  @Test("A common factor of the multipliers does not matter", arguments: [3, 0.1, 1.0 / 3, 17])
  func scaleInvariance(factor: Double) throws {
    let network = try NetworkZoo.network(named: "resnet18")
    let multipliers = try workedMultipliers(network)
    let target = try network.cost().macs
    let plain = try network.matching(macs: target, multipliers: multipliers)
    let scaled = try network.matching(macs: target, multipliers: multipliers.mapValues { factor * $0 })
    #expect(plain.widths == scaled.widths)
    #expect(abs(plain.scale - scaled.scale * factor) < 1e-6)
  }

  @Test("Equal multipliers give back the network, and a factor of one", arguments: representativeNames)
  func identity(name: String) throws {
    let network = try NetworkZoo.network(named: name)
    let divisor = name.hasPrefix("resnet") || name.hasPrefix("vgg") ? 16 : 8
    let match = try network.matching(macs: network.cost().macs, divisor: divisor)
    #expect(match.network == network)
    // The polynomial leaves the squeeze-excite rounding out, so that its factor is one up to that.
    #expect(abs(match.scale - 1) < 1e-4)
    #expect(match.relativeError == 0)
  }

  @Test("Random multipliers are matched within one percent", arguments: representativeNames)
  func withinOnePercent(name: String) throws {
    let network = try NetworkZoo.network(named: name)
    let cost = try network.cost().macs
    let groups = try network.widthGroups
    var generator = SeededGenerator(seed: 11, UInt64(name.utf8.reduce(0) { $0 + Int($1) }))
    for target in [cost / 3, cost, 2 * cost] {
      let multipliers = Dictionary(
        uniqueKeysWithValues: groups.map { ($0.id, 0.3 + 1.5 * generator.nextUnit()) })
      for divisor in [1, 4, 8] {
        let match = try network.matching(macs: target, multipliers: PerGroup(multipliers), divisor: divisor)
        #expect(abs(match.relativeError) < 0.01, "divisor \(divisor)")
        #expect(match.widths.values.values.allSatisfy { $0 >= divisor && $0.isMultiple(of: divisor) })
        #expect(try match.network.cost().macs == match.macs)
      }
    }
  }

  @Test("No factor on a fine grid comes nearer than the one that is found")
  func bestFactor() throws {
    let network = try NetworkZoo.network(named: "mobilenet_v2_cifar", classes: 10)
    let resolved = try network.resolved()
    let counter = CostCounter(resolved)
    var generator = SeededGenerator(seed: 3)
    for target in [20_000_000, 60_000_000] {
      let multipliers = Dictionary(
        uniqueKeysWithValues: resolved.widthGroups.map { ($0.id, 0.5 + generator.nextUnit()) })
      let match = try network.matching(macs: target, multipliers: PerGroup(multipliers))
      let best = (0...4500).map { step in
        let scale = match.scale * (0.8 + 1e-4 * Double(step))
        let widths = resolved.widthGroups.map {
          makeDivisible(scale * (multipliers[$0.id] ?? 1) * Double($0.width), divisor: 8)
        }
        return abs(counter.count(widths) - target)
      }.min()
      #expect(try abs(match.macs - target) <= #require(best))
    }
  }

  @Test("On tiny networks single groups are moved when no common factor is near enough")
  func tinyNetworks() throws {
    let network = try NetworkZoo.network(named: "resnet20", classes: 10, resolution: 8).scalingWidth(by: 0.5)
    let resolved = try network.resolved()
    let counter = CostCounter(resolved)
    for factor in [0.7, 0.8, 0.9, 1.1, 1.3] {
      let target = Int(Double(try network.cost().macs) * factor)
      let best = (0...2000).map { step in
        let widths = resolved.widthGroups.map { makeDivisible(1e-3 * Double(step * $0.width), divisor: 8) }
        return abs(Double(counter.count(widths) - target)) / Double(target)
      }.min()
      #expect(try #require(best) > 0.03, "no common factor is near enough")
      let match = try network.matching(macs: target, divisor: 8)
      #expect(abs(match.relativeError) < 0.01)
      #expect(match.widths.values.values.allSatisfy { $0 >= 8 && $0.isMultiple(of: 8) })
      #expect(try match == network.matching(macs: target, divisor: 8))
    }
  }

  @Test("Targets and multipliers that make no sense are refused")
  func refusals() throws {
    let network = try NetworkZoo.network(named: "resnet20", classes: 10)
    #expect(throws: UsageFailure.self) { try network.matching(macs: 0) }
    #expect(throws: UsageFailure.self) { try network.matching(macs: 1_000_000, divisor: 0) }
    #expect(throws: NetworkFailure.self) { try network.matching(macs: 1_000_000, multipliers: ["conv9": 1]) }
    #expect(throws: NetworkFailure.self) { try network.matching(macs: 1_000_000, multipliers: ["conv1": -1]) }
    #expect(throws: NetworkFailure.self) { try network.matching(macs: 1_000_000, multipliers: ["conv1": .nan]) }
    // A target below the smallest network gives the smallest network and says how far off it is.
    let smallest = try network.matching(macs: 1000, divisor: 8)
    #expect(try smallest.network.widthGroups.allSatisfy { $0.width == 8 })
    #expect(smallest.relativeError > 1)
  }

  private func workedMultipliers(_ network: Network) throws -> PerGroup<Double> {
    let out = [0.6, 0.8, 1.0, 1.6]
    let inner = [[0.5, 0.7], [0.6, 0.8], [0.9, 1.1], [1.2, 1.4]]
    var multipliers: PerGroup<Double> = [:]
    for group in try network.widthGroups {
      guard let stage = group.stage else { continue }
      multipliers[group.id] = group.block.map { inner[stage][$0] } ?? out[stage]
    }
    return multipliers
  }
}
