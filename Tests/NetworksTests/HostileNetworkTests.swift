import Foundation
import Support
import Testing

@testable import Networks

@Suite("Networks of files that mean harm, or are merely odd")
struct HostileNetworkTests {
  private func convolution(_ channels: Int, _ grouping: Convolution.Grouping = .dense) -> Networks.Operation {
    .convolution(Convolution(outputChannels: channels, kernelSize: 1, grouping: grouping))
  }

  private func network(_ layers: [Layer], channels: Int = 1, side: Int = 1) -> Network {
    Network(name: "odd", input: Shape(channels: channels, height: side, width: side), layers: layers)
  }

  @Test("A pool's padding beyond all numbers is refused")
  func pool() throws {
    let text =
      #"{"name": "n", "input": {"channels": 1, "height": 4, "width": 4}, "layers": [{"name": "p", "inputs": ["input"], "operation": {"kind": "maxPool", "kernelSize": 2, "padding": \#(Int.max)}}]}"#
    let read = #expect(throws: (any Error).self) {
      try Network(json: Data(text.utf8), file: "n", operations: []).resolved()
    }
    #expect("\(String(describing: read))".contains("half its window"), "\(String(describing: read))")
    let pool = Pool(kernelSize: 2, stride: 2, padding: .init(height: Int.max, width: 0))
    #expect(throws: NetworkFailure(layer: "p", "a pool may be padded by half its window at most")) {
      try network([Layer(name: "p", operation: .maxPool(pool), inputs: ["input"])], side: 4).resolved()
    }
  }

  @Test("Concatenations that double parts without end, and shuffles into millions, are refused before memory is spent")
  func parts() throws {
    let doubled = (0..<28).map { place in
      let source = place == 0 ? "input" : "c\(place - 1)"
      return Layer(name: "c\(place)", operation: .concatenate, inputs: [source, source])
    }
    let failure = #expect(throws: NetworkFailure.self) { try network(doubled).resolved() }
    #expect(failure?.description.contains("parts, which is beyond any network") == true)
    let shuffle = Layer(name: "s", operation: .other(ChannelShuffle(groups: 1 << 24)), inputs: ["input"])
    #expect(throws: NetworkFailure.self) { try network([shuffle], channels: 1 << 24).resolved() }
  }

  @Test("Half of what is flattened keeps its half at any width, without an overflow on the way")
  func border() throws {
    let odd = network(
      [
        Layer(name: "conv", operation: convolution(64), inputs: ["input"]),
        Layer(name: "flat", operation: .flatten, inputs: ["conv"]),
        Layer(name: "part", operation: .other(ChannelPart(start: 0, end: 8_388_608)), inputs: ["flat"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 1)), inputs: ["part"]),
      ], side: 512)
    let changed = try odd.with(["conv": 1 << 28])
    #expect(changed.layers[2].operation == .other(ChannelPart(start: 0, end: 1 << 45)))
  }

  @Test("Blocks numbered up to the end of all numbers are no container to add to")
  func numbers() throws {
    func block(_ number: Int, _ source: String) -> Layer {
      Layer(name: "features.\(number)", operation: convolution(2), inputs: [source])
    }
    var deep = network([
      block(0, "input"), block(1, "features.0"), block(Int.max, "features.1"),
    ])
    deep.stages = [
      Stage(
        name: "body",
        blocks: [Block(name: "features.0", layers: ["features.0"]), Block(name: "features.1", layers: ["features.1"])])
    ]
    #expect(try deep.scalingDepth(by: 2).resolved().network.stages[0].blocks.count == 4)
  }

  @Test("A table of times beyond any channel count is refused")
  func grid() throws {
    #expect(throws: UsageFailure.self) { try CostGrid(inputs: [], outputs: [8, 1 << 62], values: [[1, 2]]) }
  }

  @Test(
    "Channels that are derived from others can be tied to themselves, and are followed; those that cannot are named")
  func derived() throws {
    let rule = Convolution.DerivedChannels(source: "conv", divisor: 4)
    var layers = [
      Layer(name: "conv", operation: convolution(16), inputs: ["input"]),
      Layer(
        name: "fc1",
        operation: .convolution(Convolution(outputChannels: 4, kernelSize: 1, derivedChannels: rule)), inputs: ["conv"]),
      Layer(name: "gate", operation: .activation(.sigmoid), inputs: ["fc1"]),
      Layer(name: "silu", operation: .multiply, inputs: ["fc1", "gate"]),
      Layer(name: "fc2", operation: convolution(3), inputs: ["silu"]),
    ]
    let resolved = try network(layers).resolved()
    let half = try resolved.with(["conv": 8])
    #expect(CostCounter(resolved).count([8]) == half.cost.macs)
    layers[3] = Layer(name: "silu", operation: convolution(4, .depthwise), inputs: ["gate"])
    #expect(throws: NetworkFailure.self) { try network(layers).resolved() }
  }
}
