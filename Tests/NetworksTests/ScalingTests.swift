import Foundation
import Support
import Testing

@testable import Networks

@Suite struct ScalingTests {
  @Test("Channels round as in torchvision")
  func rounding() {
    let checks: [(Double, Int)] = [
      (3, 8), (6.4, 8), (11, 16), (12, 16), (19.9, 24), (22.6, 24), (45.2, 48), (90.5, 88), (181, 184), (362, 360),
      (24 * 0.5, 16), (16 * 0.35, 8), (96 * 0.707, 64),
    ]
    for (value, expected) in checks { #expect(makeDivisible(value, divisor: 8) == expected, "\(value)") }
    #expect(makeDivisible(3, divisor: 8, minimum: 1) == 9, "the slimmable variant with floor 1")
    #expect(makeDivisible(37.4, divisor: 1) == 37)
    #expect(makeDivisible(.nan, divisor: 8) == 8)
    #expect(makeDivisible(.infinity, divisor: 8) > 0)
    #expect(makeDivisible(-4, divisor: 0) == 1)
  }

  @Test(
    "Stage widths of a scaled ResNet18",
    arguments: [
      (0.312, [24, 40, 80, 160]), (0.707, [48, 88, 184, 360]), (1.414, [88, 184, 360, 720]),
      (1.732, [112, 224, 440, 888]),
    ])
  func stageWidths(factor: Double, expected: [Int]) throws {
    let network = try NetworkZoo.network(named: "resnet18").scalingWidth(by: factor)
    #expect(try network.widthGroups.filter { $0.role == "out" }.map(\.width) == expected)
  }

  @Test(
    "Millions of multiply-accumulates under width scaling, to one decimal",
    arguments: [
      ("resnet18", 0.312, 231.1), ("resnet18", 0.5, 483.1), ("resnet18", 0.707, 960.8), ("resnet18", 1, 1814.1),
      ("resnet18", 1.414, 3509.4), ("resnet18", 1.732, 5334.8), ("mobilenet_v2", 0.312, 51.4),
      ("mobilenet_v2", 0.5, 91.5), ("mobilenet_v2", 0.707, 169.1), ("mobilenet_v2", 1, 300.8),
      ("mobilenet_v2", 1.414, 583.8), ("mobilenet_v2", 1.732, 889.1),
    ])
  func widthScaling(name: String, factor: Double, expected: Double) throws {
    let network = try NetworkZoo.network(named: name).scalingWidth(by: factor)
    #expect(try millions(network.cost().macs) == expected)
  }

  @Test(
    "Millions of multiply-accumulates under depth scaling",
    arguments: [
      ("resnet18", 2, 3663.8), ("resnet18", 3, 5513.4), ("resnet18", 4, 7363.1), ("mobilenet_v2", 2, 541.0),
      ("mobilenet_v2", 3, 781.2), ("mobilenet_v2", 4, 1021.4),
    ])
  func depthScaling(name: String, factor: Double, expected: Double) throws {
    let network = try NetworkZoo.network(named: name).scalingDepth(by: factor)
    #expect(try millions(network.cost().macs) == expected)
  }

  @Test(
    "Millions of multiply-accumulates at other resolutions",
    arguments: [
      ("resnet18", 64, 148.6), ("resnet18", 160, 925.8), ("resnet18", 320, 3701.7), ("mobilenet_v2", 64, 25.7),
      ("mobilenet_v2", 160, 154.1), ("mobilenet_v2", 320, 612.5),
    ])
  func resolutions(name: String, resolution: Int, expected: Double) throws {
    #expect(try millions(NetworkZoo.network(named: name).cost(at: resolution).macs) == expected)
  }

  @Test(
    "Millions of multiply-accumulates under compound scaling",
    arguments: [
      ("resnet18", 0.312, 1, 64, 19.0), ("resnet18", 0.707, 1, 160, 490.4), ("resnet18", 1.414, 2, 320, 14628.1),
      ("mobilenet_v2", 0.312, 1, 64, 4.6), ("mobilenet_v2", 0.707, 1, 160, 86.7),
      ("mobilenet_v2", 1.414, 2, 320, 2129.8),
    ])
  func compound(name: String, width: Double, depth: Double, resolution: Int, expected: Double) throws {
    let network = try NetworkZoo.network(named: name).scalingDepth(by: depth).scalingWidth(by: width)
    #expect(try millions(network.cost(at: resolution).macs) == expected)
    let otherOrder = try NetworkZoo.network(named: name).scalingWidth(by: width).scalingDepth(by: depth)
    #expect(otherOrder == network)
  }

  @Test("Block counts under depth scaling round half up; single blocks stay")
  func blockCounts() throws {
    func counts(_ name: String, _ factor: Double) throws -> [Int] {
      try NetworkZoo.network(named: name).scalingDepth(by: factor).stages.map(\.blocks.count)
    }
    #expect(try counts("resnet50", 0.5) == [2, 2, 3, 2])
    #expect(try counts("resnet101", 0.5) == [2, 2, 12, 2])
    #expect(try counts("efficientnet_b3", 0.5) == [1, 2, 2, 3, 3, 3, 1])
    #expect(try counts("mobilenet_v2", 2) == [1, 4, 6, 8, 6, 6, 1])
    #expect(try counts("resnet18", 0.1) == [1, 1, 1, 1])
    #expect(try counts("vgg16_bn", 0.5) == [1, 1, 2, 2, 2])
  }

  @Test("A network scaled in depth is the one that torchvision would build")
  func depthSurgeryMatchesTheZoo() throws {
    let resnet18 = try NetworkZoo.network(named: "resnet18")
    let resnet34 = try NetworkZoo.network(named: "resnet34")
    let deeper = try resnet18.with(blockCounts: [3, 4, 6, 3])
    #expect(deeper.layers == resnet34.layers && deeper.stages == resnet34.stages)
    let shallower = try resnet34.with(blockCounts: [2, 2, 2, 2])
    #expect(shallower.layers == resnet18.layers && shallower.stages == resnet18.stages)
    let resnet101 = try NetworkZoo.network(named: "resnet50").with(blockCounts: [3, 4, 23, 3])
    #expect(try resnet101.layers == NetworkZoo.network(named: "resnet101").layers)
    let resnet56 = try NetworkZoo.network(named: "resnet20").scalingDepth(by: 3)
    #expect(try resnet56.layers == NetworkZoo.network(named: "resnet56").layers)
    // Every member of a `Sequential` counts: b1 is b0 with more blocks, stochastic depth included.
    let b1 = try NetworkZoo.network(named: "efficientnet_b1", resolution: 224)
    let shrunk = try b1.with(blockCounts: [2, 2, 2, 3, 3, 4, 2])
    #expect(try shrunk.with(blockCounts: b1.stages.map(\.blocks.count)).layers == b1.layers)
    let vgg = try NetworkZoo.network(named: "vgg13_bn").with(blockCounts: [2, 2, 3, 3, 3])
    #expect(try vgg.layers == NetworkZoo.network(named: "vgg16_bn").layers)
    #expect(try vgg.with(blockCounts: [2, 2, 2, 2, 2]).layers == NetworkZoo.network(named: "vgg13_bn").layers)
  }

  @Test("Names behind a deeper stage move on")
  func renumbering() throws {
    let network = try NetworkZoo.network(named: "mobilenet_v2").scalingDepth(by: 2)
    let names = Set(network.layers.map(\.name))
    #expect(names.contains("features.32.conv.0.0") && names.contains("features.33.0"))
    #expect(network.stages[6].blocks.map(\.name) == ["features.32"])
    #expect(names.count == network.layers.count)
    let back = try network.scalingDepth(by: 0.5)
    #expect(try back == NetworkZoo.network(named: "mobilenet_v2"))
  }

  @Test("A stage whose blocks have no numbers still grows")
  func unnumberedBlocks() throws {
    var builder = NetworkBuilder()
    var top = builder.add(
      "stem", .convolution(Convolution(outputChannels: 4, kernelSize: 3)), Network.inputName)
    builder.beginStage("body")
    for name in ["alpha", "beta"] {
      top = builder.block(name) {
        $0.add("\(name)_conv", .convolution(Convolution(outputChannels: 4, kernelSize: 3, padding: 1)), top)
      }
    }
    builder.add("head", .globalAveragePool, top)
    let network = builder.network(name: "toy", request: ZooRequest(), native: 16)
    let deeper = try network.with(blockCounts: [4])
    #expect(
      deeper.layers.map(\.name) == ["stem", "alpha_conv", "beta_conv", "beta_conv.copy1", "beta_conv.copy2", "head"])
    #expect(deeper.layers.last?.inputs == ["beta_conv.copy2"])
    #expect(try deeper.resolved().layers.count == 6)
    #expect(try deeper.with(blockCounts: [1]).layers.map(\.name) == ["stem", "alpha_conv", "head"])
  }

  @Test("A single block is repeated only when it keeps its input's shape")
  func singleBlocks() throws {
    let network = try NetworkZoo.network(named: "resnet18").scalingDepth(by: 0.5)
    let deeper = try network.with(blockCounts: [2, 1, 1, 1])
    #expect(try deeper == NetworkZoo.network(named: "resnet18").with(blockCounts: [2, 1, 1, 1]))
    let error = #expect(throws: NetworkFailure.self) { try network.with(blockCounts: [1, 2, 1, 1]) }
    #expect(error?.message.contains("layer2.0") == true)
    #expect(throws: NetworkFailure.self) { try network.with(blockCounts: [1, 1, 1]) }
    #expect(throws: NetworkFailure.self) { try network.with(blockCounts: [1, 0, 1, 1]) }
  }

  @Test("Stochastic depth grows linearly with the block, at any depth")
  func stochasticDepth() throws {
    func probabilities(_ network: Network) -> [Double] {
      network.layers.compactMap { layer in
        if case .stochasticDepth(let depth) = layer.operation { depth.probability } else { nil }
      }
    }
    let b0 = try NetworkZoo.network(named: "efficientnet_b0")
    #expect(abs((probabilities(b0).last ?? 0) - 0.2 * 14 / 16) < 1e-12)
    let deeper = try b0.scalingDepth(by: 2)
    #expect(deeper.stages.map(\.blocks.count) == [1, 4, 4, 6, 6, 8, 1])
    #expect(abs((probabilities(deeper).last ?? 0) - 0.2 * 28 / 30) < 1e-12)
  }

  @Test("Scaling by one changes nothing", arguments: representativeNames)
  func identity(name: String) throws {
    let network = try NetworkZoo.network(named: name)
    #expect(try network.scalingWidth(by: 1) == network)
    #expect(try network.scalingWidth(by: 1, divisor: 7) == network)
    #expect(try network.scalingDepth(by: 1) == network)
    #expect(try network.with(network.widths) == network)
    #expect(network.at(resolution: network.input.height) == network)
    #expect(try network.with(classes: network.classes) == network)
  }

  @Test("Two heads whose scores are added have as many classes; scores side by side are nobody's to change")
  func heads() throws {
    func network(_ last: Networks.Operation) -> Network {
      let head = Networks.Operation.linear(Linear(outputFeatures: 10))
      return Network(
        name: "heads", input: Shape(channels: 3, height: 8, width: 8),
        layers: [
          Layer(name: "pool", operation: .globalAveragePool, inputs: ["input"]),
          Layer(name: "flat", operation: .flatten, inputs: ["pool"]),
          Layer(name: "head", operation: head, inputs: ["flat"]),
          Layer(name: "distilled", operation: head, inputs: ["flat"]),
          Layer(name: "scores", operation: last, inputs: ["head", "distilled"]),
        ]
      )
    }
    let changed = try network(.add).with(classes: 4)
    #expect(try changed.classes == 4 && changed.cost().parameters == 2 * (3 * 4 + 4))
    let failure = #expect(throws: NetworkFailure.self) { try network(.concatenate).with(classes: 4) }
    #expect(failure?.description.contains("scores") == true)
    // A network without a head ends in a stream, whose width is no number of classes.
    var headless = try NetworkZoo.network(named: "resnet20", classes: 10)
    let sum = try #require(headless.layers.last { $0.operation == .add }?.name)
    headless.layers.removeSubrange((headless.layers.firstIndex { $0.name == sum } ?? 0) + 1..<headless.layers.count)
    headless.stages = []
    headless.layers.append(Layer(name: "pool", operation: .globalAveragePool, inputs: [sum]))
    headless.layers.append(Layer(name: "flatten", operation: .flatten, inputs: ["pool"]))
    _ = try headless.resolved()
    #expect(throws: NetworkFailure.self) { try headless.with(classes: 4) }
  }

  @Test("Impossible factors are refused", arguments: [0, -1, .nan, .infinity])
  func impossibleFactors(factor: Double) throws {
    let network = try NetworkZoo.network(named: "resnet20")
    #expect(throws: UsageFailure.self) { try network.scalingWidth(by: factor) }
    #expect(throws: UsageFailure.self) { try network.scalingDepth(by: factor) }
    #expect(throws: UsageFailure.self) { try network.scalingWidth(by: 2, divisor: 0) }
    #expect(throws: UsageFailure.self) { try network.scalingWidth(by: 2, divisor: .max) }
  }

  @Test("Factors multiply, whatever was rounded between", arguments: ["resnet18", "mobilenet_v2", "vgg16_cifar"])
  func twice(name: String) throws {
    let network = try NetworkZoo.network(named: name)
    let once = try network.scalingWidth(by: 0.707)
    let twice = try network.scalingWidth(by: 1.414).scalingWidth(by: 0.707 / 1.414)
    #expect(try twice.resolved().widths == once.resolved().widths)
    // Rounded twice it would differ: else this test shows nothing.
    let forgetful = try network.scalingWidth(by: 1.414)
    var stripped = forgetful
    for index in stripped.layers.indices { stripped.layers[index].unrounded = nil }
    #expect(forgetful != stripped)
    #expect(try stripped.scalingWidth(by: 0.707 / 1.414).resolved().widths != once.resolved().widths)
    #expect(try Network(json: forgetful.json()) == forgetful)
  }

  @Test("Widths that were chosen are scaled from what they are, and a file cannot claim what is impossible")
  func chosenWidths() throws {
    let network = try NetworkZoo.network(named: "resnet20").scalingWidth(by: 1.1, divisor: 8)
    let chosen = try network.with(Widths(["conv1": 24]))
    #expect(chosen.layers.first?.unrounded == nil && network.layers.first?.unrounded == 1.1 * 16)
    #expect(try chosen.scalingWidth(by: 0.5).resolved().widths["conv1"] == 16)
    let json = try String(decoding: network.json(), as: UTF8.self)
    for value in ["-3", "0", "1e300"] {
      let hostile = json.replacingOccurrences(of: "\"unrounded\" : \(1.1 * 16)", with: "\"unrounded\" : \(value)")
      #expect(hostile != json)
      #expect(throws: NetworkFailure.self) { try Network(json: Data(hostile.utf8)) }
    }
  }

  private func millions(_ macs: Int) -> Double { (Double(macs) / 1e5).rounded() / 10 }
}
