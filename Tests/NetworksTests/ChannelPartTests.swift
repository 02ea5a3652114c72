import Testing

@testable import Networks

@Suite("Split and shuffled channels")
struct ChannelPartTests {
  private func convolution(_ channels: Int, _ grouping: Convolution.Grouping = .dense) -> Operation {
    .convolution(Convolution(outputChannels: channels, kernelSize: 1, grouping: grouping))
  }

  /// Two blocks as ShuffleNet has them: half of the channels pass, half go through a branch, and then they take turns.
  private func shuffled() -> Network {
    var layers = [
      Layer(name: "left", operation: convolution(6), inputs: ["input"]),
      Layer(name: "right", operation: convolution(6), inputs: ["input"]),
      Layer(name: "join0", operation: .concatenate, inputs: ["left", "right"]),
      Layer(name: "shuffle0", operation: .other(ChannelShuffle(groups: 2)), inputs: ["join0"]),
    ]
    layers += [
      Layer(name: "pass", operation: .other(ChannelPart(start: 0, end: 6)), inputs: ["shuffle0"]),
      Layer(name: "go", operation: .other(ChannelPart(start: 6, end: 12)), inputs: ["shuffle0"]),
      Layer(name: "inner", operation: convolution(4), inputs: ["go"]),
      Layer(name: "outer", operation: convolution(6), inputs: ["inner"]),
      Layer(name: "join1", operation: .concatenate, inputs: ["pass", "outer"]),
      Layer(name: "shuffle1", operation: .other(ChannelShuffle(groups: 2)), inputs: ["join1"]),
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["shuffle1"]),
      Layer(name: "classes", operation: .linear(Linear(outputFeatures: 10)), inputs: ["pool"]),
    ]
    return Network(name: "shuffled", input: Shape(channels: 3, height: 4, width: 4), layers: layers)
  }

  @Test("All halves of a shuffled stage are one group, whose width need be no multiple of anything")
  func shuffle() throws {
    let network = shuffled()
    let resolved = try network.resolved()
    #expect(resolved.widthGroups.map(\.layers) == [["left", "right", "outer"], ["inner"]])
    #expect(resolved.widthGroups.map(\.granularity) == [1, 1])
    #expect(resolved["shuffle0"]?.outputSegments == [ChannelSegment(group: "left", channels: 12, positions: 2)])
    #expect(resolved["go"]?.outputSegments == [ChannelSegment(group: "left", channels: 6)])
    #expect(resolved.mixedGroups == ["left"])
    let narrow = try network.with(["left": 3]).resolved()
    #expect(narrow["go"]?.layer.operation == .other(ChannelPart(start: 3, end: 6)))
    #expect(narrow["classes"]?.inputs.first?.channels == 6)
    #expect(CostCounter(resolved).count([3, 4]) == narrow.cost.macs)
    #expect(CostCounter(resolved, .parameters).count([3, 4]) == narrow.cost.parameters)
    #expect(try Network(json: network.json(), file: "n", operations: []) == network)
  }

  /// One of two halves of a layer's channels, which `expanded` expands sixfold.
  private func split(flattened: Bool = false) -> Network {
    var layers = [
      Layer(name: "a", operation: convolution(64), inputs: ["input"]),
      Layer(name: "half", operation: .other(ChannelPart(start: 0, end: 32)), inputs: ["a"]),
    ]
    layers +=
      flattened
      ? [Layer(name: "flat", operation: .flatten, inputs: ["half"])]
      : [
        Layer(name: "expanded", operation: convolution(192), inputs: ["half"]),
        Layer(name: "inner", operation: convolution(192, .depthwise), inputs: ["expanded"]),
        Layer(name: "projected", operation: convolution(64), inputs: ["inner"]),
        Layer(name: "sum", operation: .add, inputs: ["a", "projected"]),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["sum"]),
      ]
    layers.append(
      Layer(name: "classes", operation: .linear(Linear(outputFeatures: 10)), inputs: [flattened ? "flat" : "pool"]))
    var network = Network(name: "split", input: Shape(channels: 3, height: 2, width: 2), layers: layers)
    if !flattened {
      network.stages = [
        Stage(name: "s", blocks: [Block(name: "b", layers: ["half", "expanded", "inner", "projected", "sum"])])
      ]
    }
    return network
  }

  @Test("What expands a half stays the same multiple of the half, not of the whole")
  func expansion() throws {
    let half = try split().scalingWidth(by: 0.5).resolved()
    #expect(half["a"]?.output.channels == 32 && half["expanded"]?.output.channels == 96)
  }

  @Test("The places of a flattened half stay together")
  func flattenedHalf() throws {
    let network = try split(flattened: true).resolved()
    let segment = try #require(network["flat"]?.outputSegments.first)
    #expect(segment == ChannelSegment(group: "a", channels: 128, positions: 4, divisor: 2))
    #expect(segment.channels(at: 32) == 64 && segment.firstEntry(ofChannel: 3, of: 32) == 12)
    #expect(CostCounter(network).count([32]) == (try network.with(["a": 32])).cost.macs)
  }

  /// A Res2Net block: quarters of one layer's channels, three of which go through a convolution and are added to the next.
  private func quarters() -> Network {
    var layers = [Layer(name: "wide", operation: convolution(16), inputs: ["input"])]
    for part in 0..<4 {
      layers.append(
        Layer(
          name: "part\(part)", operation: .other(ChannelPart(start: 4 * part, end: 4 * part + 4)), inputs: ["wide"]))
    }
    layers += [
      Layer(name: "c0", operation: convolution(4), inputs: ["part0"]),
      Layer(name: "sum1", operation: .add, inputs: ["c0", "part1"]),
      Layer(name: "c1", operation: convolution(4), inputs: ["sum1"]),
      Layer(name: "sum2", operation: .add, inputs: ["c1", "part2"]),
      Layer(name: "c2", operation: convolution(4), inputs: ["sum2"]),
      Layer(name: "join", operation: .concatenate, inputs: ["c0", "c1", "c2", "part3"]),
      Layer(name: "last", operation: convolution(7), inputs: ["join"]),
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["last"]),
      Layer(name: "classes", operation: .linear(Linear(outputFeatures: 10)), inputs: ["pool"]),
    ]
    return Network(name: "quarters", input: Shape(channels: 3, height: 4, width: 4), layers: layers)
  }

  @Test("What is added to a quarter of a layer's channels has a quarter of its width")
  func split() throws {
    let network = quarters()
    let resolved = try network.resolved()
    #expect(resolved.widthGroups.map(\.id) == ["wide", "c2", "last"])
    let wide = try #require(resolved.widthGroup("wide"))
    #expect((wide.width, wide.granularity, wide.layers) == (16, 4, ["wide", "c0", "c1"]))
    #expect(resolved["c0"]?.outputSegments == [ChannelSegment(group: "wide", channels: 4, positions: 1, divisor: 4)])
    let narrow = try network.with(["wide": 8, "c2": 5]).resolved()
    #expect(narrow["part2"]?.layer.operation == .other(ChannelPart(start: 4, end: 6)))
    #expect(narrow["c1"]?.output.channels == 2)
    #expect(narrow["last"]?.inputs.first?.channels == 2 + 2 + 5 + 2)
    #expect(CostCounter(resolved).count([8, 5, 7]) == narrow.cost.macs)
    #expect(throws: NetworkFailure.self) { try network.with(["wide": 6]) }
  }

  @Test("A split between the channels of two layers goes where they go, and asks nothing of their widths")
  func borders() throws {
    var network = shuffled()
    network.layers[3] = Layer(name: "shuffle0", operation: .activation(.relu), inputs: ["join0"])
    let resolved = try network.resolved()
    #expect(resolved["pass"]?.outputSegments == [ChannelSegment(group: "left", channels: 6)])
    #expect(resolved.widthGroups.map(\.id) == ["left", "right", "inner"])
    let changed = try network.with(["left": 2, "right": 5]).resolved()
    #expect(changed["go"]?.layer.operation == .other(ChannelPart(start: 2, end: 7)))
  }

  @Test(
    "Channels at the same place of each part share their entries, and all entries are somebody's",
    arguments: [(1, 1), (49, 1), (1, 4), (3, 2)])
  func entries(_ positions: Int, _ divisor: Int) {
    let width = 12
    let segment = ChannelSegment(
      group: "g", channels: width * positions / divisor, positions: positions, divisor: divisor)
    let first = (0..<width).map { segment.firstEntry(ofChannel: $0, of: width) }
    let part = width / divisor
    #expect(first == (0..<width).map { $0 % part * positions })
    #expect(Set(first.flatMap { $0..<$0 + positions }) == Set(0..<segment.channels))
  }

  @Test("Parts that are not there are refused with the layer's name")
  func refusals() {
    for operation in [
      Operation.other(ChannelPart(start: 6, end: 13)), .other(ChannelPart(start: 3, end: 3)),
      .other(ChannelPart(start: -1, end: 2)), .other(ChannelShuffle(groups: 5)), .other(ChannelShuffle(groups: 0)),
      .other(GroupNorm(groups: 7)), .other(ChannelScale(rank: 2)), .other(Padding(top: -1)),
    ] {
      var network = shuffled()
      network.layers[4] = Layer(name: "pass", operation: operation, inputs: ["shuffle0"])
      #expect { try network.resolved() } throws: { ($0 as? NetworkFailure)?.layer == "pass" }
    }
  }
}
