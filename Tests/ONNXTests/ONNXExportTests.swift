import Foundation
import Networks
import Support
import SwiftProtobuf
import Testing

@testable import ONNX

@Suite struct ONNXExportTests {
  private static func layer(_ name: String, _ operation: Networks.Operation, _ inputs: String...) -> Layer {
    Layer(name: name, operation: operation, inputs: inputs)
  }

  private static func network(_ layers: [Layer], _ input: Shape = Shape(channels: 2, height: 5, width: 5)) throws
    -> ResolvedNetwork
  {
    try Network(name: "small", input: input, layers: layers).resolved()
  }

  /// Numbers that differ from each other, by name and place.
  private static func value(_ name: String, _ index: Int) -> Float {
    let base = Float(name.utf8.reduce(0) { ($0 * 31 + Int($1)) % 97 }) / 97
    return (name.hasSuffix("running_var") ? 0.5 : -0.5) + base + 0.01 * Float(index)
  }

  private static func counts(_ network: ResolvedNetwork) -> [String: Int] {
    var counts: [String: Int] = [:]
    for layer in network.layers {
      let (name, inputs, outputs) = (layer.layer.name, layer.inputs[0].channels, layer.output.channels)
      switch layer.layer.operation {
      case .convolution(let convolution):
        counts["\(name).weight"] = outputs * inputs * convolution.kernelSize.height * convolution.kernelSize.width
        counts["\(name).bias"] = outputs
      case .linear: (counts["\(name).weight"], counts["\(name).bias"]) = (outputs * inputs, outputs)
      case .batchNorm:
        for part in ["weight", "bias", "running_mean", "running_var"] { counts["\(name).\(part)"] = outputs }
      default: break
      }
    }
    return counts
  }

  private static func model(
    _ network: ResolvedNetwork, _ batchNormalization: ONNXExport.BatchNormalization = .keep
  ) throws -> PBModelProto {
    let export = ONNXExport(
      network, batchNormalization: batchNormalization, metadata: ["b": "2", "a": "1"], version: "1")
    let counts = counts(network)
    let data = try export.data { name in (0..<(counts[name] ?? 0)).map { value(name, $0) } }
    return try PBModelProto(serializedBytes: data)
  }

  private static let convolution = Networks.Operation.convolution(
    Convolution(outputChannels: 3, kernelSize: Extent(height: 3, width: 1), stride: 2, padding: 1, hasBias: true))

  private static func classifier(_ from: String) -> [Layer] {
    [
      layer("pool", .globalAveragePool, from), layer("flatten", .flatten, "pool"),
      layer("fc", .linear(Linear(outputFeatures: 4)), "flatten"),
    ]
  }

  @Test("A model has the opset, names and shapes that runtimes ask for")
  func form() throws {
    let network = try Self.network(
      [Self.layer("conv", Self.convolution, "input"), Self.layer("bn", .batchNorm(BatchNorm()), "conv")]
        + Self.classifier("bn"))
    let model = try Self.model(network)
    #expect(model.irVersion == 8 && model.opsetImport.map(\.version) == [17])
    #expect(model.metadataProps.map(\.key) == ["a", "b"] && model.producerName == "width-transfer")
    let graph = model.graph
    #expect(
      graph.node.map(\.opType) == [
        "Conv", "BatchNormalization", "GlobalAveragePool", "Flatten", "Gemm", "Identity",
      ])
    #expect(Set(graph.node.map(\.name)).count == graph.node.count)
    #expect(
      graph.initializer.map(\.name) == [
        "conv.weight", "conv.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "fc.weight", "fc.bias",
      ])
    #expect(graph.initializer[0].dims == [3, 2, 3, 1])
    #expect(graph.initializer.allSatisfy { $0.rawData.count == 4 * Int($0.dims.reduce(1, *)) })
    let attributes = Dictionary(uniqueKeysWithValues: graph.node[0].attribute.map { ($0.name, $0) })
    #expect(attributes["pads"]?.ints == [1, 1, 1, 1] && attributes["kernel_shape"]?.ints == [3, 1])
    #expect(attributes["group"]?.i == 1 && attributes["strides"]?.ints == [2, 2])
    func shape(_ info: PBValueInfoProto?) -> [String] {
      info?.type.tensorType.shape.dim.map { $0.dimParam.isEmpty ? "\($0.dimValue)" : $0.dimParam } ?? []
    }
    #expect(shape(graph.input.first) == ["batch", "2", "5", "5"])
    #expect(graph.output.map(\.name) == ["output"] && shape(graph.output.first) == ["batch", "4"])
    #expect(shape(graph.valueInfo.first { $0.name == "pool" }) == ["batch", "3", "1", "1"])
    #expect(shape(graph.valueInfo.first { $0.name == "flatten" }) == ["batch", "3"])
  }

  @Test("Folding gives the convolution that stands for both, and leaves alone what is read twice")
  func folding() throws {
    let both = [Self.layer("conv", Self.convolution, "input"), Self.layer("bn", .batchNorm(BatchNorm()), "conv")]
    let network = try Self.network(both + Self.classifier("bn"))
    let graph = try Self.model(network, .fold).graph
    #expect(!graph.node.map(\.opType).contains("BatchNormalization"))
    func floats(_ name: String) throws -> [Float] {
      let tensor = try #require(graph.initializer.first { $0.name == name })
      return tensor.rawData.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
    let (weights, bias) = (try floats("conv.weight"), try floats("conv.bias"))
    for channel in 0..<3 {
      let deviation = (Double(Self.value("bn.running_var", channel)) + 1e-5).squareRoot()
      let factor = Double(Self.value("bn.weight", channel)) / deviation
      for place in 0..<6 {
        let expected = Double(Self.value("conv.weight", 6 * channel + place)) * factor
        #expect(abs(Double(weights[6 * channel + place]) - expected) < 1e-6)
      }
      let before = Double(Self.value("conv.bias", channel)) - Double(Self.value("bn.running_mean", channel))
      #expect(abs(Double(bias[channel]) - (Double(Self.value("bn.bias", channel)) + before * factor)) < 1e-6)
    }
    let shared = try Self.network(both + [Self.layer("sum", .add, "bn", "conv")] + Self.classifier("sum"))
    #expect(try Self.model(shared, .fold).graph.node.map(\.opType).contains("BatchNormalization"))
  }

  @Test("Whatever layers are called, no name stands for two things")
  func names() throws {
    let names = ["output", "input_", "output/Identity", "silu/gate", "constant/0", "silu.weight"]
    var layers = [Self.layer("first", Self.convolution, "input")]
    for name in names { layers.append(Self.layer(name, .activation(.silu), layers.last?.name ?? "")) }
    layers.append(Self.layer("silu", .activation(.silu), layers.last?.name ?? ""))
    layers.append(Self.layer("gelu", .activation(.gelu), "silu"))
    layers.append(Self.layer("sum", .add, "gelu", "silu", "first"))
    let graph = try Self.model(Self.network(layers + Self.classifier("sum"))).graph
    #expect(Set(graph.node.map(\.name)).count == graph.node.count)
    let written = graph.node.flatMap(\.output) + graph.initializer.map(\.name) + ["input"]
    #expect(Set(written).count == written.count)
    // Every tensor is written before it is read.
    var known = Set(graph.initializer.map(\.name) + ["input"])
    for node in graph.node {
      #expect(node.input.allSatisfy(known.contains))
      known.formUnion(node.output)
    }
    #expect(known.contains("output"))
  }

  @Test("The rows of an adaptive pool are PyTorch's windows", arguments: [(5, 3), (3, 7), (4, 4), (7, 1)])
  func windows(count: Int, places: Int) {
    let rows = ONNXGraphBuilder.means(count, places)
    #expect(rows.count == places)
    for (place, row) in rows.enumerated() {
      let start = Int((Double(place * count) / Double(places)).rounded(.down))
      let end = Int((Double((place + 1) * count) / Double(places)).rounded(.up))
      let expected = (0..<count).map { (start..<end).contains($0) ? 1 / Float(end - start) : 0 }
      #expect(row == expected)
    }
  }

  @Test("What a tensor does not hold is an error of whoever hands it out")
  func failure() throws {
    let network = try Self.network([Self.layer("conv", Self.convolution, "input")] + Self.classifier("conv"))
    #expect(throws: UsageFailure.self) { try ONNXExport(network).data { _ in [1, 2] } }
    #expect(throws: FileFailure.self) {
      try ONNXExport(network).data { throw FileFailure(.badData, path: "weights", reason: "\($0) is missing") }
    }
  }
}
