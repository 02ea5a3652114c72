import Foundation
import Support
import Testing

@testable import Networks

@Suite("Structures that somebody states")
struct NetworkStructureTests {
  private func structure(_ json: String) throws -> NetworkStructure {
    try JSONDecoder().decode(NetworkStructure.self, from: Data(json.utf8))
  }

  @Test("Blocks by what their layers' names begin with give the stages of the zoo, and fixed layers stay")
  func stated() throws {
    let network = try NetworkZoo.network(named: "resnet20")
    var bare = network
    bare.stages = []
    let blocks = (1...3).map { stage in
      "{\"name\": \"layer\(stage)\", \"blocks\": [\"layer\(stage).0\", [\"layer\(stage).1\"], \"layer\(stage).2\"]}"
    }
    let stated = try structure("{\"stages\": [\(blocks.joined(separator: ","))], \"fixed\": [\"layer1.*.conv1\"]}")
    let found = try stated.applied(to: bare)
    #expect(found.stages.map(\.blocks) == network.stages.map(\.blocks))
    #expect(found.fixed == ["layer1.0.conv1", "layer1.1.conv1", "layer1.2.conv1"])
    let deeper = try found.scalingDepth(by: 2).resolved()
    #expect(try deeper.cost == network.scalingDepth(by: 2).resolved().cost)
    #expect(try structure("{}").applied(to: network) == network)
  }

  @Test("Layers that are stated to have one width have it: scaled, deepened, written and read")
  func groups() throws {
    let network = try NetworkZoo.network(named: "resnet20")
    let found = try structure("{\"groups\": [[\"layer2.*.conv1\"], [\"layer3.0.conv1\", \"layer3.1.conv1\"]]}")
      .applied(to: network)
    #expect(
      found.tied == [["layer2.0.conv1", "layer2.1.conv1", "layer2.2.conv1"], ["layer3.0.conv1", "layer3.1.conv1"]])
    let resolved = try found.resolved()
    #expect(try resolved.widthGroups.count == network.resolved().widthGroups.count - 3)
    let group = try #require(resolved.widthGroups.first { $0.id == "layer2.0.conv1" })
    #expect(group.layers == ["layer2.0.conv1", "layer2.1.conv1", "layer2.2.conv1"])
    let narrow = try resolved.with([group.id: 7])
    for name in group.layers { #expect(narrow.layers.first { $0.layer.name == name }?.output.channels == 7) }
    #expect(try Network(json: found.json()) == found)
    // Deeper: what repeats a tied layer is tied, too. Shallower: what is gone is tied to nothing.
    let deeper = try found.scalingDepth(by: 4 / 3.0)
    #expect(deeper.tied[0].count == 4)
    #expect(try deeper.resolved().widthGroups.first { $0.id == "layer2.0.conv1" }?.layers.count == 4)
    #expect(try found.scalingDepth(by: 1 / 3.0).tied == [])
    for (text, word) in [
      ("[[\"layer1.0.conv1\", \"layer2.0.conv1\"]]", "32 channels"), ("[[\"conv1\"]]", "one width already"),
    ] {
      let stated = try structure("{\"groups\": \(text)}")
      let failure = #expect(throws: NetworkFailure.self) { try stated.applied(to: network) }
      #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "")")
    }
    var stranger = network
    stranger.tied = [["conv1", "layer9"]]
    #expect(throws: NetworkFailure.self) { try stranger.resolved() }
  }

  @Test("What is no layer, is twice in it, or is no setting is refused by name")
  func refused() throws {
    let network = try NetworkZoo.network(named: "resnet20")
    let stranger = try structure("{\"stages\": [{\"name\": \"a\", \"blocks\": [\"layer9\"]}]}")
    let failure = #expect(throws: NetworkFailure.self) { try stranger.applied(to: network) }
    #expect(failure?.message.contains("layer9") == true)
    let twice = try structure("{\"stages\": [{\"name\": \"a\", \"blocks\": [\"layer1.0\", \"layer1\"]}]}")
    #expect(throws: NetworkFailure.self) { try twice.applied(to: network) }
    let fixed = try structure("{\"fixed\": [\"nothing\"]}")
    #expect(throws: UsageFailure.self) { try fixed.applied(to: network) }
    for text in [
      "{\"stage\": []}", "{\"stages\": [{\"name\": \"a\", \"block\": []}]}", "{\"stages\": [{\"name\": \"a\"}]}",
    ] {
      #expect(throws: DecodingError.self) { try structure(text) }
    }
  }
}
