import Networks
import Support
import Testing

@Suite("Fixed width groups")
struct FixingTests {
  private func fixed(_ name: String, _ patterns: String...) throws -> ResolvedNetwork {
    let network = try NetworkZoo.resolved(named: name)
    return try network.fixing(network.groups(matching: patterns))
  }

  @Test("What is fixed belongs to no group that is decided on, keeps its number and is still counted and shown")
  func fixedGroups() throws {
    let whole = try NetworkZoo.resolved(named: "vgg16_bn")
    let network = try fixed("vgg16_bn", "classifier.*")
    #expect(network.fixedGroups.map(\.id) == ["classifier.0", "classifier.3"])
    #expect(network.widthGroups.map(\.id) + ["classifier.0", "classifier.3"] == whole.widthGroups.map(\.id))
    #expect(network.allGroups == whole.widthGroups && network.widths == whole.widths && network.cost == whole.cost)
    let half = try network.scalingWidth(by: 0.5)
    #expect(half["classifier.0"]?.output.channels == 4096 && half["features.40"]?.output.channels == 256)
    #expect(NetworkSummary(network).widthGroups.filter { $0.fixed == true }.count == 2)
    #expect(try network.unfixed == whole)
  }

  @Test("One tied layer fixes all that are tied to it")
  func ties() throws {
    let network = try fixed("resnet20", "layer2.1.conv2")
    #expect(network.fixedGroups.map(\.id) == ["layer2.0.conv2"])
    #expect(try fixed("resnet20", "layer?.0.conv2").fixedGroups.count == 3)
  }

  @Test(
    "A layer that makes no channels fixes those that it puts out, and a fix survives the removal of the layer that it names"
  )
  func others() throws {
    var named = try NetworkZoo.network(named: "resnet20")
    named.fixed = ["layer1.0.relu"]
    if named.layers.contains(where: { $0.name == "layer1.0.add" }) { named.fixed = ["layer1.0.add"] }
    #expect(try named.resolved().fixedGroups.map(\.id) == ["conv1"])
    named.fixed = ["layer1.2.conv2"]
    let shallow = try named.scalingDepth(by: 0.34).resolved()
    #expect(shallow.fixedGroups.map(\.id) == ["conv1"])
  }

  @Test("Its own width is accepted, another is refused by its name")
  func widths() throws {
    let network = try fixed("resnet20", "conv1")
    let id = network.fixedGroups[0].id
    #expect(try network.with([id: 16]) == network)
    #expect(throws: NetworkFailure(layer: id, "its width group is fixed at 16 channels and cannot have 8")) {
      try network.with([id: 8])
    }
  }

  @Test("A pattern that names nothing is refused with what is near")
  func nothing() throws {
    let network = try NetworkZoo.resolved(named: "resnet20")
    for pattern in ["layer9.*", "layer1.0.conv3", ""] {
      #expect { try network.groups(matching: [pattern]) } throws: { error in
        "\(error)".contains("`fix` \(pattern)") && "\(error)".contains("layer1.0.conv1")
      }
    }
  }

  @Test("Matching meets the budget with what is left; none below what is fixed")
  func matching() throws {
    let network = try fixed("vgg16_bn", "classifier.*")
    let half = try network.matching(network.cost.macs / 2, in: .macs, divisor: 8)
    #expect(abs(half.relativeError) < 0.01 && half.widths["classifier.0"] == 4096)
    #expect(network.leastCost(in: .parameters) > 4096 * 4096)
    #expect(throws: UsageFailure.self) { try network.matching(4096 * 4096, in: .parameters) }
  }

  @Test("Fixed layers follow their blocks to another depth, and are part of the document")
  func depthAndDocument() throws {
    let network = try fixed("resnet20", "layer1.2.conv1", "layer3.1.conv1").network
    #expect(
      try network.scalingDepth(by: 2).resolved().fixedGroups.map(\.id) == (2...5).map { "layer1.\($0).conv1" } + [
        "layer3.1.conv1"
      ])
    #expect(try network.scalingDepth(by: 0.34).resolved().fixedGroups.isEmpty)
    #expect(try Network(json: network.json()) == network)
    var other = network
    other.fixed = ["layer1.2.conv9"]
    #expect { try other.resolved() } throws: { "\($0)".contains("layer1.2.conv9 is to be fixed") }
  }

  @Test("What is fixed in a deep network is fixed at its place in a shallow one, whatever the layers are called there")
  func places() throws {
    let deep = try NetworkZoo.resolved(named: "mobilenet_v2")
    let shallow = try deep.scalingDepth(by: 0.5)
    let last = deep.widthGroups.filter { $0.role == "head" }.map(\.id)
    let found = shallow.groups(placedAs: Set(last), in: deep)
    #expect(found == Set(shallow.widthGroups.filter { $0.role == "head" }.map(\.id)) && found != Set(last))
  }
}
