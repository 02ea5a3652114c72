import Networks
import Support
import Testing

@Suite("Depth and what hangs on it")
struct DepthChangeTests {
  @Test("Blocks that change the size of the map neither go nor are repeated", arguments: [0.5, 2])
  func pooling(factor: Double) throws {
    var network = try NetworkZoo.network(named: "vgg16_bn", classes: 10)
    func block(_ name: String, _ numbers: ClosedRange<Int>) -> Block {
      Block(name: name, layers: numbers.map { "features.\($0)" })
    }
    // The pool, features.6, in the last block; then before it.
    network.stages = [Stage(name: "one", blocks: [block("a", 0...2), block("b", 3...6)])]
    let refused = #expect(throws: NetworkFailure.self) { try network.scalingDepth(by: factor) }
    #expect(
      refused?.message.contains("change the size of the map from 224×224 to 112×112") == true,
      "\(refused?.message ?? "")")
    network.stages = [Stage(name: "one", blocks: [block("a", 0...2), block("b", 3...5)])]
    let other = try network.scalingDepth(by: factor).resolved()
    #expect(try other.output == network.resolved().output)
  }

  @Test("What is tied stays tied in a shallower network")
  func ties() throws {
    var network = try NetworkZoo.network(named: "resnet20")
    // The streams of two stages, by a layer that the shallow network does not have.
    network.tied = [["layer1.2.conv1", "layer1.0.conv1"], ["layer1.2.conv2", "layer1.1.conv1"]]
    let whole = try network.resolved()
    #expect(try whole.widthGroups.count == NetworkZoo.resolved(named: "resnet20").widthGroups.count - 2)
    let shallow = try network.scalingDepth(by: 0.67).resolved()
    let stream = try #require(shallow.widthGroups.first { $0.layers.contains("layer1.0.conv2") })
    #expect(stream.layers.contains("layer1.1.conv1"))
  }

  @Test("Factors multiply also where one of them lands on the width that is there")
  func factors() throws {
    let network = try NetworkZoo.network(named: "resnet20")
    let scaled = try network.scalingWidth(by: 0.75).scalingWidth(by: 4.0 / 3).scalingWidth(by: 2)
    #expect(try scaled.widths == network.scalingWidth(by: 2).widths)
  }

  @Test("Shuffles in their thousands are refused before memory is spent")
  func shuffles() throws {
    var layers = [
      Layer(
        name: "conv", operation: .convolution(Convolution(outputChannels: 1 << 20, kernelSize: 1)), inputs: ["input"])
    ]
    for number in 0..<8 {
      layers.append(
        Layer(
          name: "shuffle\(number)", operation: .other(ChannelShuffle(groups: 1 << 20)),
          inputs: [layers[number].name]))
    }
    let network = Network(name: "shuffled", input: Shape(channels: 1, height: 1, width: 1), layers: layers)
    #expect(throws: NetworkFailure.self) { try network.resolved() }
  }
}
