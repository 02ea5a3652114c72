import Support
import Testing

@testable import Networks

@Suite struct WidthGroupTests {
  @Test(
    "Networks have as many width groups as the specification counts",
    arguments: [
      ("resnet18", 12), ("resnet50", 37), ("mobilenet_v2", 25), ("efficientnet_b3", 33), ("vgg16_cifar", 13),
      ("vgg19_cifar", 16), ("vgg16_bn", 15), ("resnet20", 12), ("resnet18_cifar", 12), ("resnet50_cifar", 37),
      ("mobilenet_v2_cifar", 25),
    ])
  func counts(name: String, count: Int) throws {
    #expect(try NetworkZoo.network(named: name).widthGroups.count == count)
  }

  @Test("A ResNet18 of depth d has 4 + 8 d groups", arguments: [1, 2, 3, 4])
  func countsByDepth(depth: Int) throws {
    let network = try NetworkZoo.network(named: "resnet18").scalingDepth(by: Double(depth))
    #expect(try network.widthGroups.count == 4 + 8 * depth)
  }

  @Test("The stem of a ResNet18 is tied to the outputs of its first stage")
  func residualTies() throws {
    let groups = try NetworkZoo.network(named: "resnet18").widthGroups
    #expect(groups[0].id == "conv1")
    #expect(groups[0].layers == ["conv1", "layer1.0.conv2", "layer1.1.conv2"])
    #expect(groups[0].address == .init(stage: 0, block: nil, role: "out"))
    #expect(groups[1].address == .init(stage: 0, block: 0, role: "inner"))
    let second = try #require(groups.first { $0.id == "layer2.0.conv2" })
    #expect(second.layers == ["layer2.0.conv2", "layer2.0.downsample.0", "layer2.1.conv2"])
    #expect(second.width == 128)
  }

  @Test("Roles in a ResNet50: a free stem, two inner groups in each block, one output for each stage")
  func bottleneckRoles() throws {
    let groups = try NetworkZoo.network(named: "resnet50").widthGroups
    #expect(groups[0].address == .init(stage: nil, block: nil, role: "stem"))
    #expect(groups[0].layers == ["conv1"])
    let inner = groups.filter { $0.stage == 2 && $0.block == 5 }
    #expect(inner.map(\.role) == ["inner1", "inner2"])
    #expect(inner.map(\.id) == ["layer3.5.conv1", "layer3.5.conv2"])
    #expect(groups.filter { $0.role == "out" }.map(\.width) == [256, 512, 1024, 2048])
  }

  @Test("Depthwise convolutions, squeeze-excite gates and the stem of MobileNetV2 join their producers")
  func depthwiseTies() throws {
    let groups = try NetworkZoo.network(named: "mobilenet_v2").widthGroups
    #expect(groups[0].layers == ["features.0.0", "features.1.conv.0.0"])
    #expect(groups[0].role == "stem")
    #expect(groups[1].address == .init(stage: 0, block: nil, role: "out"))
    #expect(groups[2].layers == ["features.2.conv.0.0", "features.2.conv.1.0"])
    #expect(groups[2].address == .init(stage: 1, block: 0, role: "hidden"))
    #expect(groups.last?.id == "features.18.0" && groups.last?.role == "head")
    let efficient = try NetworkZoo.network(named: "efficientnet_b3").widthGroups
    let hidden = try #require(efficient.first { $0.id == "features.2.0.block.0.0" })
    #expect(
      hidden.layers == ["features.2.0.block.0.0", "features.2.0.block.1.0", "features.2.0.block.2.fc2"])
    #expect(!efficient.contains { $0.layers.contains { $0.hasSuffix("fc1") } }, "the bottleneck is derived")
    // The second block of stage 1 has no expansion: its depthwise convolution works on the residual stream.
    let stream = try #require(efficient.first { $0.id == "features.1.0.block.2.0" })
    #expect(stream.layers.contains("features.1.1.block.0.0"))
    #expect(stream.address == .init(stage: 0, block: nil, role: "out"))
  }

  @Test("Each convolution of a VGG has a group and a block of its own")
  func chains() throws {
    let groups = try NetworkZoo.network(named: "vgg16_cifar").widthGroups
    #expect(groups.map(\.id).prefix(3) == ["features.0", "features.3", "features.7"])
    #expect(groups[11].address == .init(stage: 4, block: 1, role: "out"))
    let heads = try NetworkZoo.network(named: "vgg16_bn").widthGroups.suffix(2)
    #expect(heads.map(\.id) == ["classifier.0", "classifier.3"])
    #expect(heads.map(\.role) == ["head1", "head2"])
  }

  @Test("Addresses are unique in every network and survive depth scaling", arguments: representativeNames)
  func addresses(name: String) throws {
    let network = try NetworkZoo.network(named: name)
    for factor in [0.5, 1, 2] {
      let groups = try network.scalingDepth(by: factor).widthGroups
      #expect(Set(groups.map(\.address)).count == groups.count)
      #expect(Set(groups.map(\.id)).count == groups.count)
      #expect(!groups.contains { $0.role.hasPrefix("shared") })
    }
  }

  @Test("Squeeze-excite bottlenecks follow the block's input")
  func derivedWidths() throws {
    let network = try NetworkZoo.network(named: "efficientnet_b0")
    func squeeze(_ network: Network, _ name: String) throws -> Int? {
      try network.resolved()[name]?.output.channels
    }
    #expect(try squeeze(network, "features.2.0.block.2.fc1") == 4)
    let narrow = try network.with(["features.1.0.block.2.0": 11, "features.2.0.block.3.0": 3])
    #expect(try squeeze(narrow, "features.2.0.block.2.fc1") == 2)
    #expect(try squeeze(narrow, "features.2.1.block.2.fc1") == 1, "never below one channel")
  }

  @Test("Flattened feature maps count their positions")
  func flattenedSegments() throws {
    let resolved = try NetworkZoo.network(named: "vgg16_bn").resolved()
    let index = try #require(resolved.index(of: "classifier.0"))
    #expect(
      resolved.inputSegments(of: index) == [[ChannelSegment(group: "features.40", channels: 512 * 49, positions: 49)]])
    let narrow = try resolved.network(with: ["features.40": 10]).resolved()
    #expect(narrow.layers[index].inputs[0].channels == 490)
  }

  @Test("Concatenated channels keep the groups that they come from")
  func concatenation() throws {
    let network = concatenating()
    let resolved = try network.resolved()
    #expect(
      resolved["join"]?.outputSegments == [
        ChannelSegment(group: "left", channels: 4), ChannelSegment(group: "right", channels: 6),
      ])
    #expect(resolved["join"]?.group == nil)
    #expect(resolved.widthGroups.map(\.id) == ["left", "right"])
    #expect(resolved.widthGroups.map(\.layers) == [["left", "depthwise"], ["right", "depthwise"]])
    #expect(resolved.batchNorms(on: "left") == ["norm"])
    let changed = try network.with(["right": 1]).resolved()
    #expect(changed["join"]?.output.channels == 5)
    #expect(changed["depthwise"]?.output.channels == 5, "a depthwise convolution follows all its groups")
    let counter = CostCounter(resolved)
    #expect(counter.count([4, 1]) == changed.cost.macs)
  }

  @Test("A whole added to a concatenation keeps the shares of what was joined")
  func misalignedTies() throws {
    var network = concatenating()
    network.layers.insert(
      Layer(name: "whole", operation: .convolution(Convolution(outputChannels: 10, kernelSize: 1)), inputs: ["input"]),
      at: 3)
    network.layers.insert(Layer(name: "sum", operation: .add, inputs: ["join", "whole"]), at: 4)
    network.layers[5].inputs = ["sum"]
    let groups = try network.widthGroups
    // left : right : whole = 4 : 6 : 10, so that left is even.
    #expect(groups.map(\.layers) == [["left", "right", "whole", "depthwise"]])
    #expect(groups.map(\.granularity) == [2])
    let narrow = try network.with(["left": 2]).resolved()
    #expect(narrow["right"]?.output.channels == 3)
    #expect(narrow["whole"]?.output.channels == 5)
    #expect(narrow["depthwise"]?.output.channels == 5)
  }

  @Test("A convolution with one channel is not depthwise, and a depthwise one narrowed to one channel still is")
  func singleChannels() throws {
    let network = try NetworkZoo.network(named: "mobilenet_v2_cifar", inputChannels: 1)
    let groups = try network.widthGroups
    let narrow = try network.with(Widths(Dictionary(uniqueKeysWithValues: groups.map { ($0.id, 1) })))
    #expect(try narrow.widthGroups.map(\.layers) == groups.map(\.layers))
    #expect(try narrow.widthGroups.allSatisfy { $0.width == 1 })
  }

  @Test(
    "Widths are rounded to multiples of divisor and granularity, unless that leaves none to choose",
    arguments: [
      (8, 1, 8), (8, 2, 8), (8, 32, 32), (8, 12, 24), (4, 55, 55), (8, 55, 55), (8, 3, 9), (1, 55, 55), (8, 5, 10),
      (16, 6, 18), (1, 1, 1),
    ])
  func steps(_ divisor: Int, _ granularity: Int, _ step: Int) {
    let group = WidthGroup(id: "g", width: 440, layers: ["g"], role: "inner", granularity: granularity)
    #expect(group.step(divisor: divisor) == step)
  }

  @Test("Grouped convolutions keep their groups whole")
  func groupedConvolutions() throws {
    let network = Network(
      name: "toy", input: Shape(channels: 3, height: 8, width: 8),
      layers: [
        Layer(name: "a", operation: .convolution(Convolution(outputChannels: 8, kernelSize: 1)), inputs: ["input"]),
        Layer(
          name: "b", operation: .convolution(Convolution(outputChannels: 16, kernelSize: 3, grouping: .grouped(4))),
          inputs: ["a"]),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["b"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 2)), inputs: ["pool"]),
      ])
    #expect(try network.widthGroups.map(\.granularity) == [4, 4])
    #expect(try network.cost().macs == 64 * 24 + 36 * 9 * 2 * 16 + 32)
    #expect(throws: NetworkFailure.self) { try network.with(["a": 6]) }
    #expect(try network.scalingWidth(by: 0.8, divisor: 2).widths == ["a": 8, "b": 12])
    let counter = try CostCounter(network.resolved())
    #expect(try counter.count([4, 20]) == network.with(["a": 4, "b": 20]).cost().macs)
  }

  @Test("Widths of another network are refused with the nearest names")
  func foreignWidths() throws {
    let network = try NetworkZoo.network(named: "resnet20")
    let error = #expect(throws: NetworkFailure.self) { try network.with(["layer1.0.conv3": 8]) }
    #expect(error?.exitCode == .badData)
    #expect(error?.message.contains("layer1.0.conv3") == true)
    #expect(error?.message.contains("layer1.0.conv1") == true)
    #expect(error?.message.contains("another network") == true)
    let zero = #expect(throws: NetworkFailure.self) { try network.with(["conv1": 0]) }
    #expect(zero?.layer == "conv1")
    #expect(throws: NetworkFailure.self) { try network.with(["conv1": .max]) }
  }

  @Test("Any widths keep the network valid, and the counters agree with it", arguments: representativeNames)
  func randomWidths(name: String) throws {
    let network = try NetworkZoo.network(named: name, classes: 10)
    let resolved = try network.resolved()
    let counter = CostCounter(resolved)
    var generator = SeededGenerator(seed: 7, UInt64(name.utf8.reduce(0) { $0 + Int($1) }))
    for _ in 0..<5 {
      var widths = Widths()
      for group in resolved.widthGroups where generator.nextUnit() < 0.7 {
        widths[group.id] = Int.random(in: 1...2 * group.width, using: &generator)
      }
      let changed = try network.with(widths)
      let checked = try changed.resolved()
      for group in checked.widthGroups { #expect(group.width == widths[group.id] ?? resolved.widths[group.id]) }
      #expect(checked.widthGroups.map(\.layers) == resolved.widthGroups.map(\.layers))
      #expect(checked.widthGroups.map(\.address) == resolved.widthGroups.map(\.address))
      #expect(counter.count(checked.widthGroups.map(\.width)) == checked.cost.macs)
      #expect(checked.output == Shape(channels: 10, height: 1, width: 1))
    }
  }

  private func concatenating() -> Network {
    func convolution(_ channels: Int) -> Operation {
      .convolution(Convolution(outputChannels: channels, kernelSize: 1))
    }
    return Network(
      name: "toy", input: Shape(channels: 3, height: 4, width: 4),
      layers: [
        Layer(name: "left", operation: convolution(4), inputs: ["input"]),
        Layer(name: "right", operation: convolution(6), inputs: ["input"]),
        Layer(name: "join", operation: .concatenate, inputs: ["left", "right"]),
        Layer(name: "norm", operation: .batchNorm(BatchNorm()), inputs: ["join"]),
        Layer(
          name: "depthwise",
          operation: .convolution(Convolution(outputChannels: 10, kernelSize: 3, padding: 1, grouping: .depthwise)),
          inputs: ["norm"]),
        Layer(name: "flatten", operation: .flatten, inputs: ["depthwise"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 2)), inputs: ["flatten"]),
      ])
  }
}
