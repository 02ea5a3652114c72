import Networks
import Testing
import Transfer

@Suite struct OverheadTests {
  /// The compound experiment of the paper (figure 8), multipliers relative to the plain network.
  private static let target = Projection(width: 1.414, depth: 2, resolution: 320)

  @Test(
    "Nominal reductions of the paper's compound experiment",
    arguments: [
      (Projection(width: 0.312, resolution: 64, data: 0.05), 20539),
      (Projection(width: 0.707, resolution: 160, data: 0.1), 320),
      (target, 1),
    ])
  func nominal(source: Projection, expected: Int) {
    let ratio = source.nominalReduction(relativeTo: Self.target, resolution: 224)
    #expect(Int(ratio.rounded()) == expected)
  }

  @Test("The exact nominal case is 320, and the mildest one 16.3")
  func nominalExact() {
    let source = Projection(width: 0.707, resolution: 160, data: 0.1)
    #expect(abs(source.nominalReduction(relativeTo: Self.target, resolution: 224) - 320) < 1e-9)
    let mild = Projection(data: 0.5).nominalReduction(relativeTo: Self.target, resolution: 224)
    #expect((mild * 10).rounded() / 10 == 16.3)
    let small = Projection(width: 0.5, depth: 0.5, resolution: 16, data: 0.2)
    #expect(abs(small.nominalReduction(resolution: 32) - 160) < 1e-9)
  }

  @Test(
    "Counted reductions of the compound experiment",
    arguments: [
      ("resnet18", 0.312, 64, 0.05, 15387), ("mobilenet_v2", 0.312, 64, 0.05, 9333), ("resnet18", 0.707, 160, 0.1, 298),
      ("mobilenet_v2", 0.707, 160, 0.1, 246), ("resnet18", 1, 224, 0.5, 16.1), ("mobilenet_v2", 1, 224, 0.5, 14.2),
    ])
  func counted(name: String, width: Double, resolution: Int, data: Double, expected: Double) throws {
    let network = try NetworkZoo.network(named: name)
    let source = Projection(width: width, resolution: resolution, data: data)
    let ratio = try Overhead.counted(
      source: source.applied(to: network), sourceData: data, target: Self.target.applied(to: network))
    let digit = expected < 100 ? 10.0 : 1
    #expect((ratio * digit).rounded() / digit == expected)
    #expect(
      try Overhead.counted(
        source: Self.target.applied(to: network), sourceData: 1, target: Self.target.applied(to: network)) == 1)
  }

  @Test("A target that was scaled is projected to the paper's source: nothing is rounded twice")
  func scaledTarget() throws {
    for (name, expected) in [("resnet18", [298.0, 15387, 16.1]), ("mobilenet_v2", [246, 9333, 14.2])] {
      let target = try Self.target.applied(to: NetworkZoo.network(named: name).resolved())
      let sources = [
        (0.707, 160, 0.1), (0.312, 64, 0.05), (1, 224, 0.5),
      ]
      for (source, expected) in zip(sources, expected) {
        let projection = Projection(width: source.0 / 1.414, depth: 0.5, resolution: source.1, data: source.2)
        let counted = try Overhead(of: projection, target: target).counted
        let digit = expected < 100 ? 10.0 : 1
        #expect((counted * digit).rounded() / digit == expected, "\(name) at \(source)")
      }
    }
  }

  @Test(
    "Counted reductions of table 1",
    arguments: [
      ("resnet50", 224, 30.1), ("resnet101", 224, 32.7), ("efficientnet_b3", 224, 32.6), ("efficientnet_b3", 300, 61.9),
    ])
  func tableOne(name: String, resolution: Int, expected: Double) throws {
    let target = try NetworkZoo.network(named: name, resolution: resolution)
    let projection = Projection(width: 0.707, depth: 0.5, resolution: 160, data: 0.2)
    let overhead = try Overhead(of: projection, target: target)
    #expect((overhead.counted * 10).rounded() / 10 == expected)
    #expect((overhead.nominal * 10).rounded() / 10 == (resolution == 224 ? 39.2 : 70.3))
    #expect(overhead.saving == 1 - 1 / overhead.counted)
  }

  @Test("What a search keeps at its width is shrunk with the rest before it")
  func fixedGroups() throws {
    let target = try NetworkZoo.resolved(named: "resnet20")
    let projection = Projection(width: 0.5)
    #expect(
      try Overhead(of: projection, target: target.fixing([#require(target.widthGroups.first).id]))
        == Overhead(of: projection, target: target))
  }

  @Test("Savings on the axes of the paper's figures")
  func axes() {
    func percent(_ source: Projection, _ target: Projection) -> Double {
      let saving = Overhead.saving(source.nominalReduction(relativeTo: target, resolution: 320))
      return (saving * 1000).rounded() / 10
    }
    let widths = [1.732, 1.414, 1, 0.707, 0.5, 0.312].map { percent(Projection(width: $0), Projection(width: 1.732)) }
    #expect(widths == [0, 33.3, 66.7, 83.3, 91.7, 96.8])
    #expect([4.0, 3, 2, 1].map { percent(Projection(depth: $0), Projection(depth: 4)) } == [0, 25, 50, 75])
    #expect(
      [320, 224, 160, 64].map { percent(Projection(resolution: $0), .identity).rounded() } == [0, 51, 75, 96])
    #expect([1, 0.5, 0.2, 0.1, 0.05].map { percent(Projection(data: $0), .identity) } == [0, 50, 80, 90, 95])
    #expect(
      [8, 16, 24, 32].map {
        (Overhead.saving(Projection(resolution: $0).nominalReduction(resolution: 32)) * 10000).rounded() / 100
      } == [93.75, 75, 43.75, 0])
  }
}
