import Foundation
import Support
import Testing

@testable import Networks

/// Networks as files: round trips, hostile content, and what `inspect` prints.
@Suite struct DocumentTests {
  @Test("A network survives JSON unchanged, byte for byte the second time", arguments: representativeNames)
  func roundTrip(name: String) throws {
    let network = try NetworkZoo.network(named: name)
    let json = try network.json()
    let copy = try Network(json: json)
    #expect(copy == network)
    #expect(try copy.json() == json)
  }

  @Test("Every operation survives JSON")
  func operations() throws {
    let operations: [Networks.Operation] = [
      .convolution(
        Convolution(
          outputChannels: 3, kernelSize: Extent(height: 1, width: 3), stride: 2, padding: Extent(height: 0, width: 1),
          dilation: 2, grouping: .grouped(3), hasBias: true, derivedChannels: .init(source: "input", divisor: 4))),
      .convolution(Convolution(outputChannels: 3, kernelSize: 3, grouping: .depthwise)),
      .batchNorm(BatchNorm(epsilon: 1e-3, momentum: 0.01)), .activation(.relu), .activation(.relu6),
      .activation(.silu), .activation(.sigmoid), .add, .multiply, .concatenate,
      .maxPool(Pool(kernelSize: 3, stride: 2, padding: 1, roundsUp: true)),
      .averagePool(Pool(kernelSize: 2, countsPadding: false)), .adaptiveAveragePool(AdaptivePool(height: 7, width: 6)),
      .globalAveragePool, .flatten, .linear(Linear(outputFeatures: 10, hasBias: false)),
      .dropout(Dropout(probability: 0.5)), .stochasticDepth(StochasticDepth(probability: 0.2)),
    ]
    let data = try JSONEncoder().encode(operations)
    #expect(try JSONDecoder().decode([Networks.Operation].self, from: data) == operations)
  }

  @Test("A hand-written file may leave out what has a default")
  func handWritten() throws {
    let text = """
      {"name": "tiny", "input": {"channels": 1, "height": 28, "width": 28}, "layers": [
        {"name": "conv", "operation": {"kind": "convolution", "outputChannels": 8, "kernelSize": 3}, "inputs": ["input"]},
        {"name": "pool", "operation": {"kind": "globalAveragePool"}, "inputs": ["conv"]},
        {"name": "fc", "operation": {"kind": "linear", "outputFeatures": 10}, "inputs": ["pool"]}]}
      """
    let network = try Network(json: Data(text.utf8))
    #expect(try network.cost().macs == 26 * 26 * 9 * 8 + 80)
  }

  @Test(
    "Hostile files give an error that names the layer",
    arguments: [
      (#""outputChannels" : 4"#, #""outputChannels" : -4"#, "conv"),
      (#""outputChannels" : 4"#, #""outputChannels" : 4000000000000"#, "conv"),
      // The JSON reader itself refuses such a number, before it is known whose it is.
      (#""outputChannels" : 4"#, #""outputChannels" : 99999999999999999999"#, nil),
      (#""outputChannels" : 4"#, #""outputChannels" : "4""#, "conv"),
      (#""kernelSize" : 3"#, #""kernelSize" : 0"#, "conv"),
      (#""kernelSize" : 3"#, #""kernelSize" : [3]"#, "conv"),
      (#""kernelSize" : 3"#, #""kernelSize" : 9223372036854775807"#, "conv"),
      (#""padding" : 1"#, #""padding" : -1"#, "conv"),
      (#""kind" : "relu""#, #""kind" : "softmax""#, "relu"),
      (#""outputFeatures" : 10"#, #""outputFeatures" : 0"#, "fc"),
      (#""name" : "pool""#, #""name" : "bn""#, "bn"), (#""name" : "relu""#, #""name" : "input""#, "number 2"),
      (#""height" : 8"#, #""height" : 0"#, nil), (#""width" : 8"#, #""width" : 1e300"#, nil),
      (#""stages" : ["#, #""stages" : [{"name": "x", "blocks": []},"#, nil),
    ] as [(String, String, String?)])
  func hostile(original: String, replacement: String, layer: String?) throws {
    let text = try #require(String(data: smallNetwork().json(), encoding: .utf8))
    try #require(text.contains(original))
    let broken = text.replacingOccurrences(of: original, with: replacement)
    let error = #expect(throws: NetworkFailure.self) { try Network(json: Data(broken.utf8), file: "net.json") }
    #expect(error?.layer == layer, "\(error?.message ?? "")")
    #expect(error?.message.hasPrefix("net.json: ") == true)
    #expect(error?.exitCode == .badData)
  }

  @Test("A graph that makes no sense gives an error that names the layer")
  func brokenGraphs() throws {
    func failure(_ change: (inout Network) -> Void) -> NetworkFailure? {
      var network = smallNetwork()
      change(&network)
      return #expect(throws: NetworkFailure.self) { try network.resolved() }
    }
    #expect(failure { $0.layers[1].inputs = ["konv"] }?.message.contains("nearest: conv") == true)
    #expect(failure { $0.layers[1].inputs = ["bn"] }?.reason.contains("own output") == true)
    #expect(failure { $0.layers[1].inputs = ["pool"] }?.reason.contains("comes later") == true)
    #expect(failure { $0.layers[1].inputs = [] }?.layer == "bn")
    #expect(failure { $0.layers[3].inputs = ["relu", "bn"] }?.layer == "pool")
    #expect(failure { $0.layers[4].inputs = ["relu"] }?.layer == "fc")
    #expect(failure { $0.layers[3].inputs = ["bn"] }?.layer == "relu", "its output leads nowhere")
    #expect(failure { $0.layers = [] }?.reason.contains("no layers") == true)
    #expect(failure { $0.layers[2].operation = .add }?.layer == "relu")
    #expect(failure { $0.layers[2].operation = .dropout(Dropout(probability: 1.5)) }?.layer == "relu")
    #expect(failure { $0.layers[2].operation = .batchNorm(BatchNorm(epsilon: .nan)) }?.layer == "relu")
    #expect(failure { $0.stages[0].blocks[0].layers.append("conv") }?.layer == "conv")
    #expect(failure { $0.stages[0].blocks[0].layers.append("gone") }?.layer == "gone")
    #expect(
      failure {
        $0.layers[0].operation = .convolution(Convolution(outputChannels: 4, kernelSize: 3, grouping: .depthwise))
      }?.layer == "conv")
    #expect(
      failure {
        $0.layers[0].operation = .convolution(
          Convolution(outputChannels: 4, kernelSize: 1, derivedChannels: .init(source: "input", divisor: 4)))
      }?.reason.contains("is 1") == true)
    #expect(failure { $0.input.height = 1 << 40 }?.layer == nil)
  }

  @Test("Sizes that overflow are an error, not a trap")
  func overflow() throws {
    let huge = Limits.channels
    var network = smallNetwork()
    network.layers[0].operation = .convolution(
      Convolution(outputChannels: huge, kernelSize: Extent(Limits.side), padding: Extent(Limits.side / 2)))
    network.input.channels = huge
    let error = #expect(throws: NetworkFailure.self) { try network.cost() }
    #expect(error?.layer == "conv")
    network.layers.insert(Layer(name: "flat", operation: .flatten, inputs: ["relu"]), at: 3)
    network.layers[4].inputs = ["flat"]
    #expect(throws: NetworkFailure.self) { try network.resolved() }
  }

  @Test("An unknown key is named, also where a fraction stands elsewhere in the document")
  func unknownKeyAndFraction() throws {
    func message(_ more: String, epsilon: String) -> String {
      let text = """
        {"name": "n", "input": {"channels": 1, "height": 4, "width": 4}, "layers": [
          {"name": "bn", "inputs": ["input"], "operation": {"kind": "batchNorm", "\(epsilon)": 0.001}}]\(more)}
        """
      return (#expect(throws: NetworkFailure.self) { try Network(json: Data(text.utf8)) })?.message ?? ""
    }
    #expect(
      message(#", "stage": []"#, epsilon: "epsilon").contains("'stage' is not part of a network; nearest is stages"))
    #expect(message("", epsilon: "eps").contains("'eps'"))
  }

  @Test("A missing file and a file that is no JSON")
  func files() throws {
    let missing = #expect(throws: FileFailure.self) { try Network(path: "/nonexistent/net.json") }
    #expect(missing?.exitCode == .noInput)
    for text in ["", "{", "[]", "{}", #"{"name": "x"}"#, "\u{0}"] {
      #expect(throws: NetworkFailure.self) { try Network(json: Data(text.utf8)) }
    }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("network-\(UUID().uuidString).json").path
    try AtomicFile.write(smallNetwork().json(), to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try Network(path: path) == smallNetwork())
  }

  @Test("An unknown name is wrong usage and suggests the nearest")
  func unknownName() throws {
    let error = #expect(throws: UsageFailure.self) { try NetworkZoo.network(named: "resnet19") }
    #expect(error?.exitCode == .usage)
    #expect(error?.message.contains("resnet18") == true)
    #expect(throws: NetworkFailure.self) { try NetworkZoo.network(named: "vgg16_cifar", resolution: 16) }
    #expect(throws: NetworkFailure.self) { try NetworkZoo.network(named: "resnet20", classes: 0) }
    #expect(throws: NetworkFailure.self) { try NetworkZoo.network(named: "resnet20", inputChannels: -1) }
  }

  @Test("Names of the command line exist, native sizes are torchvision's")
  func names() throws {
    #expect(Set(NetworkZoo.names).count == NetworkZoo.names.count)
    for name in NetworkZoo.names { #expect(try NetworkZoo.network(named: name).name == name) }
    #expect(try NetworkZoo.network(named: "vgg16_bn_cifar").name == "vgg16_cifar")
    let sides = try (0...7).map { try NetworkZoo.network(named: "efficientnet_b\($0)").input.height }
    #expect(sides == [224, 240, 288, 300, 380, 456, 528, 600])
    #expect(try NetworkZoo.network(named: "mobilenet_v2_cifar").input == Shape(channels: 3, height: 32, width: 32))
    let gray = try NetworkZoo.network(named: "resnet20", classes: 10, inputChannels: 1, resolution: 28)
    #expect(gray.input == Shape(channels: 1, height: 28, width: 28))
    #expect(try gray.classes == 10)
  }

  @Test("The summary has the keys of the contract, null where a group has no place")
  func summary() throws {
    let network = try NetworkZoo.network(named: "resnet18")
    let summary = try NetworkSummary(network)
    let data = try JSONEncoder().encode(summary)
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(
      Set(object.keys) == [
        "network", "input", "macs", "parameters", "activations", "layers", "widthGroups", "stages",
      ])
    #expect(object["input"] as? [Int] == [3, 224, 224])
    #expect(object["macs"] as? Int == 1_814_073_344)
    let layer = try #require((object["layers"] as? [[String: Any]])?.first)
    #expect(Set(layer.keys) == ["name", "kind", "output", "macs", "parameters", "widthGroup"])
    #expect(layer["output"] as? [Int] == [64, 112, 112])
    let group = try #require((object["widthGroups"] as? [[String: Any]])?.first)
    #expect(Set(group.keys) == ["id", "width", "layers", "stage", "block"])
    #expect(group["block"] is NSNull)
    #expect(try JSONDecoder().decode(NetworkSummary.self, from: data) == summary)
  }

  @Test("The table shows layers, groups and totals")
  func table() throws {
    let table = try NetworkSummary(NetworkZoo.network(named: "resnet18")).table()
    #expect(table.contains("1,814,073,344"))
    #expect(table.contains("11,689,512"))
    #expect(table.contains("width groups 12"))
    #expect(table.contains("layer1: 2, layer2: 2, layer3: 2, layer4: 2"))
    let lines = table.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("conv1 ") && $0.contains("64×112×112") && $0.hasSuffix("conv1") })
    #expect(!lines.contains { $0.hasSuffix(" ") })
  }
}
