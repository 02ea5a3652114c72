import Networks
import Support
import Testing

@testable import ONNX

/// Stages and blocks that the graph shows where names say nothing.
@Suite struct ONNXStagesTests {
  /// Without stages, and with layers that are called by their place.
  private func nameless(_ network: Network) throws -> (ResolvedNetwork, [String: String]) {
    var (copy, names) = (network, [Network.inputName: Network.inputName])
    for (place, layer) in network.layers.enumerated() { names[layer.name] = "n\(place)" }
    copy.stages = []
    copy.fixed = []
    copy.layers = network.layers.map { layer in
      var operation = layer.operation
      if case .convolution(var convolution) = operation, let rule = convolution.derivedChannels {
        convolution.derivedChannels = .init(source: names[rule.source] ?? "", divisor: rule.divisor)
        operation = .convolution(convolution)
      }
      return Layer(name: names[layer.name] ?? "", operation: operation, inputs: layer.inputs.map { names[$0] ?? "" })
    }
    return (try copy.resolved(), names)
  }

  private func convolutions(_ block: Block, _ network: Network) -> Set<String> {
    let weighted = Set(
      network.layers.filter { if case .convolution = $0.operation { true } else { false } }.map(\.name))
    return weighted.intersection(block.layers)
  }

  @Test(
    "The zoo's stages are found without their names",
    arguments: ["resnet18", "resnet50", "resnet20", "mobilenet_v2", "efficientnet_b0", "vgg16_bn"])
  func zoo(_ name: String) throws {
    let network = try NetworkZoo.resolved(named: name, classes: 10).network
    let (copy, names) = try nameless(network)
    let found = ONNXStages(copy).stages()
    // One block alone repeats nothing.
    let expected = network.stages.filter { $0.blocks.count > 1 }
    #expect(found.map(\.blocks.count) == expected.map(\.blocks.count))
    for (stage, same) in zip(found, expected) {
      for (block, own) in zip(stage.blocks, same.blocks) {
        let wanted = Set(convolutions(own, network).compactMap { names[$0] })
        #expect(convolutions(block, copy.network) == wanted, "\(own.name)")
      }
    }
    // They can be made deeper and shallower.
    var staged = copy.network
    staged.stages = found
    for factor in [0.5, 2] {
      let scaled = try staged.resolved().network.scalingDepth(by: factor).resolved()
      let whole = try network.scalingDepth(by: factor).resolved()
      #expect(scaled.cost.macs == whole.cost.macs)
    }
  }

  /// One sum after the other: `d` around a depthwise convolution, `m` around two pointwise ones, `p` around a pooling.
  private func sums(_ kinds: String) throws -> ResolvedNetwork {
    func convolution(_ side: Int, _ grouping: Convolution.Grouping = .dense) -> Networks.Operation {
      .convolution(
        Convolution(outputChannels: 8, kernelSize: Extent(side), padding: Extent(side / 2), grouping: grouping))
    }
    var layers = [Layer(name: "stem", operation: convolution(3), inputs: ["input"])]
    for (place, kind) in kinds.enumerated() {
      let before = layers.last?.name ?? ""
      let parts: [Networks.Operation] =
        switch kind {
        case "d": [convolution(3, .depthwise), .batchNorm(BatchNorm())]
        case "p": [.averagePool(Pool(kernelSize: Extent(3), stride: Extent(1), padding: Extent(1)))]
        default: [.batchNorm(BatchNorm()), convolution(1), .activation(.gelu), convolution(1)]
        }
      for (part, operation) in parts.enumerated() {
        layers.append(
          Layer(name: "\(kind)\(place)x\(part)x", operation: operation, inputs: [layers.last?.name ?? ""]))
      }
      layers.append(Layer(name: "sum\(place)x", operation: .add, inputs: [layers.last?.name ?? "", before]))
    }
    return try Network(name: "sums", input: Shape(channels: 3, height: 8, width: 8), layers: layers).resolved()
  }

  @Test(
    "What mixes positions and what does not are one block where they take turns",
    arguments: [
      ("dmdmdm", [2, 2, 2]), ("pmpmpm", [2, 2, 2]), ("ddmddm", [3, 3]),
      // Once behind others of its kind is no turn, and neither are equal sums.
      ("dddm", [1, 1, 1]), ("ddd", [1, 1, 1]), ("mmm", [1, 1, 1]),
    ])
  func turns(_ kinds: String, _ sums: [Int]) throws {
    let found = try ONNXStages(self.sums(kinds)).stages()
    #expect(found.count == 1)
    #expect(found.first?.blocks.map { $0.layers.count { $0.hasPrefix("sum") } } == sums)
  }

  @Test("Two thousand blocks are one stage, and two thousand kinds of convolutions are none")
  func many() throws {
    func convolution(_ side: Int) -> Networks.Operation {
      .convolution(Convolution(outputChannels: 4, kernelSize: Extent(side), padding: Extent(side / 2)))
    }
    var layers = [Layer(name: "stem", operation: convolution(3), inputs: ["input"])]
    for place in 0..<2000 {
      let before = place == 0 ? "stem" : "sum\(place - 1)x"
      layers.append(Layer(name: "conv\(place)x", operation: convolution(1), inputs: [before]))
      layers.append(Layer(name: "sum\(place)x", operation: .add, inputs: ["conv\(place)x", before]))
    }
    let deep = try Network(name: "deep", input: Shape(channels: 3, height: 4, width: 4), layers: layers).resolved()
    #expect(ONNXStages(deep).stages().map(\.blocks.count) == [2000])
    // Pairs of equal convolutions, each pair of another kind than its neighbours: stages, but so many that no network is made of them.
    layers = [Layer(name: "stem", operation: convolution(3), inputs: ["input"])]
    for place in 0..<2000 {
      layers.append(
        Layer(
          name: "conv\(place)x", operation: convolution([1, 1, 3, 3, 5, 5][place % 6]),
          inputs: [place == 0 ? "stem" : "conv\(place - 1)x"]))
    }
    let odd = try Network(name: "odd", input: Shape(channels: 3, height: 4, width: 4), layers: layers).resolved()
    #expect(ONNXStages(odd).stages().isEmpty)
  }

  /// Branches side by side, with a convolution before each pair: SqueezeNet's. Then pairs of depthwise and pointwise convolutions: MobileNetV1's.
  @Test("Blocks that end side by side, with what stands before each of them; blocks of two convolutions in a row")
  func others() throws {
    func convolution(_ channels: Int, _ side: Int = 1, depthwise: Bool = false) -> Networks.Operation {
      .convolution(
        Convolution(
          outputChannels: channels, kernelSize: Extent(side), padding: Extent(side / 2),
          grouping: depthwise ? .depthwise : .dense))
    }
    var layers = [Layer(name: "stem", operation: convolution(8, 3), inputs: ["input"])]
    func add(_ name: String, _ operation: Networks.Operation, _ inputs: String...) {
      layers.append(Layer(name: name, operation: operation, inputs: inputs))
    }
    for place in 0..<3 {
      add("squeeze\(place)x", convolution(4), place == 0 ? "stem" : "fire\(place - 1)x")
      add("act\(place)x", .activation(.relu), "squeeze\(place)x")
      add("one\(place)x", convolution(4), "act\(place)x")
      add("three\(place)x", convolution(4 + place, 3), "act\(place)x")
      add("fire\(place)x", .concatenate, "one\(place)x", "three\(place)x")
    }
    add("classes", convolution(3), "fire2x")
    add("mean", .globalAveragePool, "classes")
    let fires = try Network(name: "fires", input: Shape(channels: 3, height: 8, width: 8), layers: layers).resolved()
    let stages = ONNXStages(fires).stages()
    #expect(stages.map(\.blocks.count) == [3])
    #expect(stages.first?.blocks.last?.layers == ["squeeze2x", "act2x", "one2x", "three2x", "fire2x"])

    layers = [Layer(name: "stem", operation: convolution(8, 3), inputs: ["input"])]
    for place in 0..<5 {
      add("depth\(place)x", convolution(8, 3, depthwise: true), place == 0 ? "stem" : "act\(place - 1)x")
      add("point\(place)x", convolution(8), "depth\(place)x")
      add("act\(place)x", .activation(.relu), "point\(place)x")
    }
    add("mean", .globalAveragePool, "act4x")
    add("flat", .flatten, "mean")
    add("classes", .linear(Linear(outputFeatures: 3)), "flat")
    let pairs = try Network(name: "pairs", input: Shape(channels: 3, height: 8, width: 8), layers: layers).resolved()
    let found = ONNXStages(pairs).stages()
    #expect(found.map(\.blocks.count) == [5])
    #expect(found.first?.blocks.first?.layers == ["depth0x", "point0x", "act0x"])
  }
}
