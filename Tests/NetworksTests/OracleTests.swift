import Testing

@testable import Networks

/// Numbers that others published: torchvision's, AutoSlim's, and those of the papers on CIFAR networks.
@Suite struct OracleTests {
  @Test(
    "Multiply-accumulates and parameters are torchvision's",
    arguments: [
      ("resnet18", nil, 1_814_073_344, 11_689_512), ("resnet34", nil, 3_663_761_408, 21_797_672),
      ("resnet50", nil, 4_089_184_256, 25_557_032), ("resnet101", nil, 7_801_405_440, 44_549_160),
      ("mobilenet_v2", nil, 300_774_272, 3_504_872), ("efficientnet_b3", nil, 1_827_141_392, 12_233_232),
      ("efficientnet_b3", 224, 962_708_240, 12_233_232), ("vgg16_bn", nil, 15_470_264_320, 138_365_992),
    ] as [(String, Int?, Int, Int)])
  func torchvision(name: String, resolution: Int?, macs: Int, parameters: Int) throws {
    let cost = try NetworkZoo.network(named: name, resolution: resolution).cost()
    #expect(cost.macs == macs)
    #expect(cost.parameters == parameters)
  }

  @Test(
    "Parameters of every EfficientNet are those of torchvision's weight files",
    arguments: [5_288_548, 7_794_184, 9_109_994, 12_233_232, 19_341_616, 30_389_784, 43_040_704, 66_347_960]
      .enumerated()
      .map { ($0, $1) })
  func efficientNetParameters(variant: Int, parameters: Int) throws {
    #expect(try NetworkZoo.network(named: "efficientnet_b\(variant)").cost().parameters == parameters)
  }

  @Test(
    "State dicts have as many entries as torchvision's, and as many of them are learnable",
    arguments: [
      ("resnet18", 122, 62), ("resnet50", 320, 161), ("resnet101", 626, 314), ("mobilenet_v2", 314, 158),
      ("efficientnet_b3", 574, 340), ("vgg16_bn", 97, 58),
    ])
  func stateDictEntries(name: String, entries: Int, learnable: Int) throws {
    let network = try NetworkZoo.network(named: name)
    let counts = network.layers.map { layer in
      switch layer.operation {
      case .convolution(let convolution): (1 + (convolution.hasBias ? 1 : 0), 1 + (convolution.hasBias ? 1 : 0))
      case .linear(let linear): (1 + (linear.hasBias ? 1 : 0), 1 + (linear.hasBias ? 1 : 0))
      case .batchNorm: (5, 2)
      default: (0, 0)
      }
    }
    #expect(counts.reduce(0) { $0 + $1.0 } == entries)
    #expect(counts.reduce(0) { $0 + $1.1 } == learnable)
  }

  @Test("Parametrized layers have torchvision's names")
  func stateDictNames() throws {
    func names(_ network: String) throws -> [String] {
      try NetworkZoo.network(named: network).layers.filter(\.operation.hasParameters).map(\.name)
    }
    let resnet = try names("resnet18")
    #expect(resnet.prefix(4) == ["conv1", "bn1", "layer1.0.conv1", "layer1.0.bn1"])
    #expect(resnet.contains("layer2.0.downsample.0") && resnet.contains("layer2.0.downsample.1"))
    #expect(!resnet.contains { $0.hasPrefix("layer1") && $0.contains("downsample") })
    #expect(resnet.last == "fc")
    #expect(try names("resnet50").filter { $0.hasSuffix("downsample.0") }.count == 4)
    let mobile = try names("mobilenet_v2")
    #expect(
      mobile.prefix(6) == [
        "features.0.0", "features.0.1", "features.1.conv.0.0", "features.1.conv.0.1", "features.1.conv.1",
        "features.1.conv.2",
      ])
    #expect(
      mobile.filter { $0.hasPrefix("features.17.") } == [
        "features.17.conv.0.0", "features.17.conv.0.1", "features.17.conv.1.0", "features.17.conv.1.1",
        "features.17.conv.2", "features.17.conv.3",
      ])
    #expect(mobile.suffix(3) == ["features.18.0", "features.18.1", "classifier.1"])
    let efficient = try names("efficientnet_b3")
    #expect(
      efficient.filter { $0.hasPrefix("features.1.0.") } == [
        "features.1.0.block.0.0", "features.1.0.block.0.1", "features.1.0.block.1.fc1", "features.1.0.block.1.fc2",
        "features.1.0.block.2.0", "features.1.0.block.2.1",
      ])
    #expect(efficient.contains("features.7.1.block.2.fc1") && efficient.contains("features.8.0"))
    let convolutions = try NetworkZoo.network(named: "vgg16_bn").layers.compactMap { layer in
      if case .convolution = layer.operation { layer.name } else { nil }
    }
    #expect(convolutions == [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40].map { "features.\($0)" })
    #expect(try names("vgg16_bn").suffix(3) == ["classifier.0", "classifier.3", "classifier.6"])
  }

  @Test(
    "CIFAR ResNets with parameter-free shortcuts cost what the literature says",
    arguments: [("resnet20", 40_551_040, 269_722), ("resnet56", 125_485_696, 853_018)])
  func parameterFreeShortcuts(name: String, macs: Int, parameters: Int) throws {
    // A shortcut that subsamples and pads with zeros costs nothing: the network here less its projections.
    let costs = try NetworkZoo.network(named: name, classes: 10).resolved().layerCosts
      .filter { !$0.name.contains("downsample") }
    #expect(costs.reduce(0) { $0 + $1.cost.macs } == macs)
    #expect(costs.reduce(0) { $0 + $1.cost.parameters } == parameters)
  }

  @Test(
    "CIFAR forms cost what Chen, Bu and Yan (2024) print",
    arguments: [
      ("vgg11_cifar", 9_231_114, 9_277_284, 152_769_536), ("vgg16_cifar", 14_728_266, 14_774_436, 313_201_664),
      ("vgg19_cifar", 20_040_522, 20_086_692, 398_136_320), ("resnet18_cifar", 11_173_962, 11_220_132, 555_422_720),
      ("resnet50_cifar", 23_520_842, 23_705_252, 1_297_829_888), ("resnet20", 272_474, 278_324, 40_813_184),
    ])
  func cifarForms(name: String, parameters10: Int, parameters100: Int, macs: Int) throws {
    let network = try NetworkZoo.network(named: name, classes: 10)
    #expect(try network.cost() == Cost(macs: macs, parameters: parameters10, activations: network.cost().activations))
    #expect(try network.with(classes: 100).cost().parameters == parameters100)
  }

  @Test("Larger images cost what Chen, Bu and Yan (2024) print, with global pooling")
  func largerImages() throws {
    #expect(
      try NetworkZoo.network(named: "vgg16_cifar", classes: 200, resolution: 64).cost().macs == 1_252_888_576)
    #expect(
      try NetworkZoo.network(named: "resnet18_cifar", classes: 200, resolution: 64).cost().macs == 2_221_772_800)
  }

  @Test(
    "MobileNetV2 under torchvision's width multiplier, whose last layer never falls below 1280",
    arguments: [
      (0.312, 56_431_264), (0.5, 97_131_840), (0.707, 173_642_400), (1.414, 583_798_640), (1.732, 889_116_000),
    ])
  func mobileNetMultipliers(factor: Double, macs: Int) throws {
    var network = try NetworkZoo.network(named: "mobilenet_v2").scalingWidth(by: factor)
    if factor < 1 { network = try network.with(["features.18.0": 1280]) }
    #expect(try network.cost().macs == macs)
  }

  @Test("AutoSlim's published MobileNetV2 widths cost what its authors say", arguments: autoSlimNetworks)
  func autoSlim(list: String, macs: Int) throws {
    let numbers = list.split(separator: " ").compactMap { Int($0) }
    let network = try NetworkZoo.network(named: "mobilenet_v2", classes: numbers[35])
    var widths: Widths = ["features.0.0": numbers[0], "features.1.conv.1": numbers[1], "features.18.0": numbers[34]]
    let resolved = try network.resolved()
    for block in 2...17 {
      let hidden = numbers[2 * block - 2]
      let output = numbers[2 * block - 1]
      widths["features.\(block).conv.0.0"] = hidden
      let group = try #require(resolved["features.\(block).conv.2"]?.group)
      #expect(widths[group] == nil || widths[group] == output, "outputs of a stage are tied")
      widths[group] = output
    }
    #expect(widths.count == 25)
    #expect(try network.with(widths).cost().macs == macs)
  }
}

private let autoSlimNetworks = [
  (
    "8 8 96 16 96 16 96 24 144 24 144 24 144 48 288 48 288 48 288 48 288 64 432 64 432 64 648 176 720 176 720 176 1440 "
      + "280 1920 1000", 206_767_048
  ),
  (
    "8 8 96 16 96 16 96 24 144 24 144 24 144 56 288 56 288 56 288 56 288 96 432 96 432 96 864 240 1440 240 960 240 1440 "
      + "480 1920 1000", 305_072_416
  ),
  (
    "32 16 144 24 176 24 192 48 240 48 144 48 264 88 288 88 336 88 432 88 576 144 576 144 648 144 864 240 1440 240 1440 "
      + "240 1440 480 1920 1000", 504_934_400
  ),
]
