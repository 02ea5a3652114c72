import Diagnosis
import Networks
import Support
import Testing

/// A row of the specification's table of reference outcomes.
struct ReferenceRow: CustomTestStringConvertible, Sendable {
  var network: String
  var classes = 10
  var resolution = 32
  var narrow: [String]
  var wide: [String]
  var part = 0.60
  var factors: (alpha: Double, gamma: Double)?
  /// In the order in which streamlining mends.
  var widths: [Int]
  var parameters: Double
  var macs: Double

  var testDescription: String { "\(network) \(classes) DS \(narrow) ρ \(part)" }

  static func repeated(_ width: Int, _ count: Int) -> [Int] { Array(repeating: width, count: count) }

  static let all: [ReferenceRow] = [
    ReferenceRow(
      network: "vgg16_cifar", narrow: ["1-7"], wide: ["8-13"], factors: (0.69050, 1.14345),
      widths: [72, 72, 144, 144, 304, 296, 296] + repeated(352, 6), parameters: 0.60076, macs: 0.99941),
    ReferenceRow(
      network: "vgg16_cifar", narrow: ["2-7"], wide: ["1", "8-13"], factors: (0.67519, 1.20341),
      widths: [40, 80, 152, 152, 312, 312, 312] + repeated(344, 6), parameters: 0.59960, macs: 1.00134),
    ReferenceRow(
      network: "vgg16_cifar", narrow: ["2-7"], wide: ["1", "8-13"], part: 0.7, factors: (0.76844, 1.15207),
      widths: [56, 72, 144, 144, 296, 296, 296, 392, 392, 392, 400, 392, 392], parameters: 0.69995, macs: 1.00142),
    ReferenceRow(
      network: "vgg16_cifar", narrow: ["2-7"], wide: ["1", "8-13"], part: 0.5, factors: (0.56806, 1.25623),
      widths: [40, 80, 160, 160, 320, 320, 320, 296, 288, 288, 296, 288, 296], parameters: 0.49971, macs: 1.00126),
    ReferenceRow(
      network: "vgg16_cifar", classes: 100, narrow: ["1-7"], wide: ["8-13"], factors: (0.69022, 1.14358),
      widths: [72, 72, 144, 144, 304, 296, 296] + repeated(352, 6), parameters: 0.60103, macs: 0.99936),
    ReferenceRow(
      network: "vgg16_cifar", classes: 200, resolution: 64, narrow: ["1-7"], wide: ["8-13"],
      factors: (0.68994, 1.14367),
      widths: [72, 72, 144, 144, 304, 296, 296] + repeated(352, 5) + [344], parameters: 0.59952, macs: 0.99906),
    ReferenceRow(
      network: "vgg19_cifar", narrow: ["1-8"], wide: ["9-16"], factors: (0.69110, 1.16750),
      widths: [80, 72, 152, 152] + repeated(296, 4) + [352, 360, 352, 352, 360, 352, 352, 360], parameters: 0.59971,
      macs: 1.00104),
    ReferenceRow(
      network: "resnet18_cifar", narrow: ["1-9"], wide: ["10-17"], factors: (0.73304, 1.18735),
      widths: [80, 72, 72, 152, 152, 152, 184, 192, 184, 376, 376, 376], parameters: 0.59903, macs: 1.00009),
    ReferenceRow(
      network: "resnet50_cifar", narrow: ["1-22"], wide: ["41-49"], factors: (0.54261, 1.13570),
      widths: [80, 288, 72, 80, 72, 72, 72, 72, 584] + repeated(144, 8) + [1024] + repeated(256, 12)
        + [1120, 272, 272, 280, 280, 280, 280], parameters: 0.60006, macs: 1.00024),
  ]
}

@Suite struct StreamliningTests {
  @Test(arguments: ReferenceRow.all) func referenceRows(_ row: ReferenceRow) throws {
    let network = try NetworkZoo.resolved(named: row.network, classes: row.classes, resolution: row.resolution)
    let patterns = try LayerSelection.patterns(narrow: row.narrow, wide: row.wide, of: network)
    var settings = StreamliningSettings()
    settings.parameterPart = row.part
    let outcome = try Streamlining(network, patterns: patterns, settings: settings).outcome()
    if let factors = row.factors {
      #expect(abs(outcome.narrowing - factors.alpha) < 1e-4)
      #expect(abs(outcome.widening - factors.gamma) < 1e-4)
    }
    #expect(network.streamliningOrder.map { outcome.widths[$0.id] ?? 0 } == row.widths)
    #expect(abs(outcome.parameters - row.parameters) < 1e-5)
    #expect(abs(outcome.macs - row.macs) < 1e-5)
    #expect(outcome.shortfall == nil)
    let built = try network.with(outcome.widths)
    #expect(Double(built.cost.parameters) / Double(network.cost.parameters) == outcome.parameters)
    #expect(Double(built.cost.macs) / Double(network.cost.macs) == outcome.macs)
    for group in network.widthGroups {
      let width = try #require(outcome.widths[group.id])
      switch patterns[group.id] {
      case .increaseToSaturate: #expect(width <= group.width && width.isMultiple(of: 8))
      case .decreaseToSaturate: #expect(width >= group.width && width.isMultiple(of: 8))
      default: #expect(width == group.width)
      }
    }
  }

  /// The totals of section 4.3 that costs are measured by.
  @Test(arguments: [
    ("vgg11_cifar", 9_231_114, 152_769_536), ("vgg16_cifar", 14_728_266, 313_201_664),
    ("vgg19_cifar", 20_040_522, 398_136_320), ("resnet18_cifar", 11_173_962, 555_422_720),
    ("resnet50_cifar", 23_520_842, 1_297_829_888), ("resnet20", 272_474, 40_813_184),
  ]) func totals(_ name: String, _ parameters: Int, _ macs: Int) throws {
    let cost = try NetworkZoo.resolved(named: name, classes: 10).cost
    #expect(cost.parameters == parameters && cost.macs == macs)
  }

  @Test func shortfallsAreSaid() throws {
    let network = try NetworkZoo.resolved(named: "vgg16_cifar", classes: 10)
    func outcome(_ narrow: [String], _ wide: [String]) throws -> Streamlining.Outcome {
      try Streamlining(network, patterns: LayerSelection.patterns(narrow: narrow, wide: wide, of: network)).outcome()
    }
    let onlyWide = try outcome([], ["8-13"])
    #expect(onlyWide.shortfall == .noGrowTarget && onlyWide.macs < 1 && abs(onlyWide.parameters - 0.6) < 0.03)
    let onlyNarrow = try outcome(["1-7"], [])
    #expect(onlyNarrow.shortfall == .noShrinkTarget && onlyNarrow.widths == network.widths)
    // What is late carries the parameters and cannot grow at 60 % of them.
    #expect(try outcome(["12-13"], ["1-3"]).shortfall == .infeasible)
    #expect(try Streamlining(network, patterns: [:]).outcome().shortfall == .noShrinkTarget)
  }

  @Test func fewestMACsAtTheSameParameters() throws {
    let network = try NetworkZoo.resolved(named: "vgg16_cifar", classes: 10)
    var settings = StreamliningSettings()
    settings.aim = .macs
    let patterns = try LayerSelection.patterns(narrow: ["11-13"], wide: ["1-10"], of: network)
    let outcome = try Streamlining(network, patterns: patterns, settings: settings).outcome()
    #expect(abs(outcome.parameters - 1) < 0.03)
    #expect(outcome.macs < 0.9)
  }

  @Test func clearerPatternsMoveFurther() throws {
    let network = try NetworkZoo.resolved(named: "vgg16_cifar", classes: 10)
    var settings = StreamliningSettings()
    settings.followsStrength = true
    let patterns = try LayerSelection.patterns(narrow: ["1-7"], wide: ["8-13"], of: network)
    let groups = network.widthGroups.map(\.id)
    let outcome = try Streamlining(
      network, patterns: patterns, drops: PerGroup(groups: groups, values: (1...13).map { $0 == 5 ? 0.9 : 0.4 }),
      confidences: PerGroup(groups: groups, values: (1...13).map { $0 == 10 ? 1 : 0.5 }), settings: settings
    ).outcome()
    #expect(try #require(outcome.widths[groups[4]]) > #require(outcome.widths[groups[5]]))
    #expect(try #require(outcome.widths[groups[9]]) < #require(outcome.widths[groups[8]]))
    #expect(abs(outcome.macs - 1) <= 0.02 && abs(outcome.parameters - 0.6) <= 0.03)
  }

  @Test func selectionsNameLayersOrGroups() throws {
    let network = try NetworkZoo.resolved(named: "resnet20")
    #expect(try LayerSelection.groups("1, 4", of: network) == ["conv1", "layer1.1.conv1"])
    #expect(
      try LayerSelection.groups("layer2.0.downsample.0,layer1.0.conv1", of: network) == [
        "layer2.0.conv2", "layer1.0.conv1",
      ])
    for wrong in ["0", "20", "3-1", "1-40", "layer9", "-2", "1--3"] {
      #expect(throws: UsageFailure.self) { try LayerSelection.groups(wrong, of: network) }
    }
    #expect(throws: UsageFailure.self) { try LayerSelection.patterns(narrow: ["1"], wide: ["3"], of: network) }
  }

  @Test func controlsKeepTheirCounts() throws {
    let network = try NetworkZoo.resolved(named: "vgg16_cifar")
    let patterns = try LayerSelection.patterns(narrow: ["1-5"], wide: ["8-13"], of: network)
    #expect(StreamliningControl.uniform.patterns(patterns, seed: 0) == nil)
    let inverse = try #require(StreamliningControl.inverse.patterns(patterns, seed: 0))
    #expect(inverse.groups.count { inverse[$0] == .increaseToSaturate } == 5)
    let random = try #require(StreamliningControl.random.patterns(patterns, seed: 3))
    #expect(random.groups.count { random[$0] == .increaseToSaturate } == 6)
    #expect(random.groups.count { random[$0] == .decreaseToSaturate } == 5)
    #expect(random != patterns && random == StreamliningControl.random.patterns(patterns, seed: 3))
  }
}
