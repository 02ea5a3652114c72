import Diagnosis
import Networks
import Testing

@Suite struct ChannelGroupTests {
  @Test(arguments: [
    ("vgg16_cifar", 13), ("vgg19_cifar", 16), ("resnet18_cifar", 12), ("resnet20", 12), ("resnet50_cifar", 37),
  ])
  func countsOfTheSpecification(_ name: String, _ count: Int) throws {
    #expect(try NetworkZoo.resolved(named: name).channelGroups.count == count)
  }

  @Test(arguments: NetworkZoo.names) func everyAxisOfEveryWeightIsCoveredOnce(_ name: String) throws {
    let network = try NetworkZoo.resolved(named: name)
    var covered: [String: [Bool]] = [:]
    for group in network.channelGroups {
      #expect(!group.slices.isEmpty, "\(group.id)")
      for slice in group.slices {
        let key = "\(slice.tensor) \(slice.axis)"
        let layer = try #require(network[String(slice.tensor.dropLast(".weight".count))])
        let length = slice.axis == 0 ? layer.output.channels : layer.inputs[0].channels
        var entries = covered[key] ?? Array(repeating: false, count: length)
        for index in slice.offset..<slice.offset + group.width * slice.positions {
          #expect(!entries[index], "\(key) \(index)")
          entries[index] = true
        }
        covered[key] = entries
      }
    }
    for (key, entries) in covered { #expect(entries.allSatisfy { $0 }, "\(key)") }
    // What is covered by nothing: the image, the classes, squeeze-excite bottlenecks.
    for (index, layer) in network.layers.enumerated() {
      for form in layer.layer.operation.definition.parameters where form.role == .weight && form.dimensions.count > 1 {
        let name = form.name(in: layer.layer.name)
        if layer.group != nil { #expect(covered["\(name) 0"] != nil, "\(name)") }
        guard form.dimensions.contains(where: { if case .input = $0 { true } else { false } }) else { continue }
        let reads = network.inputSegments(of: index)[0].compactMap(\.group)
        if reads.contains(where: { !network.mixedGroups.contains($0) }) {
          #expect(covered["\(name) 1"] != nil, "\(name)")
        }
      }
    }
  }

  @Test func aResidualStreamHasProjectionsApart() throws {
    let network = try NetworkZoo.resolved(named: "resnet18_cifar")
    let stream = try #require(network.channelGroups.first { $0.id == "layer2.0.conv2" })
    #expect(
      stream.slices.filter(\.isProjection).map { "\($0.tensor) \($0.side)" } == [
        "layer2.0.downsample.0.weight incoming", "layer3.0.downsample.0.weight outgoing",
      ])
    #expect(
      stream.slices.filter { !$0.isProjection }.map { "\($0.tensor) \($0.axis)" } == [
        "layer2.0.conv2.weight 0", "layer2.1.conv1.weight 1", "layer2.1.conv2.weight 0", "layer3.0.conv1.weight 1",
      ])
    let deep = try NetworkZoo.resolved(named: "resnet50_cifar")
    let projections = Set(deep.channelGroups.flatMap(\.slices).filter(\.isProjection).map(\.tensor))
    #expect(projections == Set((1...4).map { "layer\($0).0.downsample.0.weight" }))
    for plain in ["vgg16_cifar", "mobilenet_v2_cifar", "efficientnet_b0"] as [String] {
      #expect(!(try NetworkZoo.resolved(named: plain)).channelGroups.flatMap(\.slices).contains(where: \.isProjection))
    }
  }

  @Test func layersAreNumberedAsInTheFigures() throws {
    let network = try NetworkZoo.resolved(named: "resnet18_cifar")
    let numbers = network.layerNumbers
    #expect(numbers["conv1"] == 1 && numbers["layer1.0.conv2"] == 3 && numbers["layer4.1.conv2"] == 17)
    #expect(numbers.count == 17)
    #expect(try NetworkZoo.resolved(named: "resnet20").layerNumbers.count == 19)
    #expect(try NetworkZoo.resolved(named: "vgg16_cifar").layerNumbers["features.40"] == 13)
    // No squeeze-excite among them: a stem, 16 blocks of 2 to 3, a head.
    #expect(try NetworkZoo.resolved(named: "efficientnet_b0").layerNumbers.count == 49)
  }

  @Test func aLayerOfAStreamHasItsDirectReaders() throws {
    let layers = try NetworkZoo.resolved(named: "resnet18_cifar").channelLayers
    func slices(_ id: String) -> [String]? {
      layers.first { $0.id == id }?.slices.map { "\($0.tensor) \($0.axis)" }
    }
    #expect(slices("conv1") == ["conv1.weight 0", "layer1.0.conv1.weight 1"])
    #expect(slices("layer1.0.conv2") == ["layer1.0.conv2.weight 0", "layer1.1.conv1.weight 1"])
    #expect(
      slices("layer1.1.conv2") == [
        "layer1.1.conv2.weight 0", "layer2.0.conv1.weight 1", "layer2.0.downsample.0.weight 1",
      ])
    #expect(slices("layer4.1.conv2") == ["layer4.1.conv2.weight 0", "fc.weight 1"])
    // Groups of one layer are themselves the layer.
    #expect(slices("layer1.0.conv1") == nil)
  }
}
