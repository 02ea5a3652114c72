import Foundation
import Interchange
import Networks
import Support
import SwiftProtobuf
import Testing

@testable import ONNX

/// Parts whose widths cannot be followed.
@Suite struct ONNXPassingTests {
  /// A convolution, attention between the places of its result in two heads, a convolution beside the first, classes.
  private func attentive(heads: Int = 2) -> Graph {
    var graph = Graph(input: [0, 3, 8, 8])
    graph.convolution("stem", from: "image", 4)
    graph.convolution("attn.qkv", from: "stem", 24, inputs: 4)
    // As PyTorch's exporter computes a shape: the number of images, and numbers.
    graph.node("Shape", ["attn.qkv"], "shape")
    graph.integers("zero", [0])
    graph.integers("rest", [3, heads, 8 / heads, 64])
    graph.node("Gather", ["shape", "zero"], "images", [.int("axis", 0)])
    graph.node("Concat", ["images", "rest"], "sizes", [.int("axis", 0)])
    graph.node("Reshape", ["attn.qkv", "sizes"], "parts")
    graph.node("Transpose", ["parts"], "turned", [.ints("perm", [1, 0, 2, 4, 3])])
    for (place, name) in ["q", "k", "v"].enumerated() {
      graph.integers("place.\(name)", [place])
      graph.model.graph.initializer[graph.model.graph.initializer.count - 1].dims = []
      graph.node("Gather", ["turned", "place.\(name)"], name, [.int("axis", 0)])
    }
    graph.node("Transpose", ["k"], "columns", [.ints("perm", [0, 1, 3, 2])])
    graph.node("MatMul", ["q", "columns"], "products")
    graph.numbers("onnx::half", [0.5], shape: [])
    graph.node("Mul", ["products", "onnx::half"], "scaled")
    graph.weights("attn.table", [heads, 64, 64])
    graph.node("Add", ["scaled", "attn.table"], "placed")
    graph.node("Softmax", ["placed"], "shares", [.int("axis", -1)])
    graph.node("MatMul", ["shares", "v"], "mixed")
    graph.node("Transpose", ["mixed"], "back", [.ints("perm", [0, 1, 3, 2])])
    graph.integers("map", [-1, 8, 8, 8])
    graph.node("Reshape", ["back", "map"], "attended")
    graph.convolution("attn.proj", from: "attended", 4, inputs: 8)
    graph.node("Add", ["stem", "attn.proj"], "sum")
    graph.classifier(from: "sum")
    return graph
  }

  private func program(_ network: Network, _ name: String) throws -> TensorProgram {
    let layer = try #require(network.layers.first { $0.name == name })
    return try #require(layer.operation.definition as? TensorProgram)
  }

  @Test("Attention is passed at fixed widths, the widths around it are free, and a remark says so")
  func attention() throws {
    let found = try attentive().read()
    #expect(
      found.network.layers.map(\.operation.kind) == [
        "convolution", "convolution", "passed", "convolution", "add", "globalAveragePool", "flatten", "linear",
      ])
    let resolved = try found.network.resolved()
    #expect(resolved.widthGroups.map(\.layers) == [["stem", "attn.proj"]])
    let part = try program(found.network, "attn")
    #expect(part.learnables == [.init("table", .shift, [2, 64, 64])])
    #expect(part.inputs == [Shape(channels: 24, height: 8, width: 8)] && part.constants == [.init([], [0.5])])
    let products = 2 * 2 * 64 * 4 * 64
    #expect(resolved.layers[2].cost.macs == products)
    #expect(found.remarks.contains { $0.contains("1 part of the network is passed") && $0.contains("attn") })
    // Another size of image is refused with a reason, where the file itself leaves it open or not.
    let refused = #expect(throws: FileFailure.self) { try attentive().read(resolution: 16) }
    #expect(refused?.description.contains("fixed size") == true, "\(String(describing: refused))")
    // A network with it is narrowed elsewhere.
    #expect(try resolved.network(with: ["stem": 2]).resolved().layers[2].layer == resolved.layers[2].layer)
  }

  @Test("What is written of it is read as the same again, weights and all")
  func roundTrip() throws {
    let network = try attentive().read().network.resolved()
    var counts: [String: Int] = [:]
    for layer in network.layers {
      for form in layer.layer.operation.definition.parameters {
        counts[form.name(in: layer.layer.name)] = form.shape(
          input: layer.inputs[0].channels, output: layer.output.channels
        ).reduce(1, *)
      }
    }
    let data = try ONNXExport(network, metadata: [:], version: "test").data { name in
      (0..<(counts[name] ?? 0)).map { Float($0) }
    }
    let path = NSTemporaryDirectory() + "width-transfer-tests-\(UUID().uuidString).onnx"
    try data.write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let again = try ONNXImport(path: path)
    #expect(again.network.layers == network.network.layers)
    let file = try again.weights()
    let table = try file.withBytes(of: "attn.table") { Array($0.bindMemory(to: Float.self)) }
    let written = (0..<8192).map { Float($0) }
    #expect(table == written)
  }

  @Test("A map that several nodes read is one layer, with its weights once")
  func severalReaders() throws {
    var graph = Graph(input: [0, 3, 8, 8])
    graph.convolution("conv", from: "image", 4)
    // A normalization by something else than is known: x / √(mean over channels of x² + 1), times a factor.
    graph.node("Mul", ["conv", "conv"], "squares")
    graph.node("ReduceMean", ["squares"], "mean", [.ints("axes", [1]), .int("keepdims", 1)])
    graph.numbers("onnx::one", [1], shape: [])
    graph.node("Add", ["mean", "onnx::one"], "more")
    graph.node("Sqrt", ["more"], "root")
    graph.node("Div", ["conv", "root"], "normal")
    graph.weights("norm.gain", [1, 4, 1, 1])
    graph.node("Mul", ["normal", "norm.gain"], "normalized")
    graph.convolution("left", from: "normalized", 4, inputs: 4)
    graph.convolution("right", from: "normalized", 4, inputs: 4)
    graph.node("Add", ["left", "right"], "sum")
    graph.classifier(from: "sum")
    let found = try graph.read()
    #expect(found.network.layers.filter { $0.operation.kind == "passed" }.map(\.name) == ["norm"])
    #expect(found.network.layers.filter { $0.inputs == ["norm"] }.map(\.name) == ["left", "right"])
    #expect(try found.network.resolved().widthGroups.map(\.layers) == [["left", "right"]])
    // The same factor in front of two others, with a step between that is no map: it would be learnt twice.
    graph = Graph(input: [0, 3, 8, 8])
    graph.convolution("conv", from: "image", 4)
    graph.weights("table", [64, 64])
    graph.integers("rows", [-1, 4, 64])
    graph.integers("map", [-1, 4, 8, 8])
    graph.node("Reshape", ["conv", "rows"], "places")
    graph.node("MatMul", ["places", "table"], "mixed")
    graph.node("Exp", ["mixed"], "one")
    graph.node("Neg", ["mixed"], "two")
    graph.node("Reshape", ["one", "map"], "one map")
    graph.node("Reshape", ["two", "map"], "two map")
    graph.convolution("left", from: "one map", 4, inputs: 4)
    graph.convolution("right", from: "two map", 4, inputs: 4)
    graph.node("Add", ["left", "right"], "sum")
    graph.classifier(from: "sum")
    let refused = #expect(throws: FileFailure.self) { try graph.read() }
    #expect(refused?.description.contains("shares its weights") == true)
  }

  @Test("An operator that is none of the steps is still refused by its name, and so are sizes that do not fit")
  func refused() throws {
    for (operation, reason) in [("Einsum", "Einsum"), ("TopK", "TopK"), ("Loop", "Loop")] {
      var graph = attentive()
      let place = try #require(graph.model.graph.node.firstIndex { $0.output == ["shares"] })
      graph.model.graph.node[place].opType = operation
      let refused = #expect(throws: FileFailure.self) { try graph.read() }
      #expect(refused?.description.contains(reason) == true)
    }
    for sizes in [
      [-1, 8, 8, 9], [-1, 0, 8, 8], [8, -1, 8, 8], [-1, -1, 8, 8], [Int.min, 8, 8, 8], [Int.max, Int.max, 8, 8],
    ] {
      var graph = attentive()
      let place = try #require(graph.model.graph.initializer.firstIndex { $0.name == "map" })
      graph.model.graph.initializer[place].int64Data = sizes.map(Int64.init)
      #expect(throws: FileFailure.self, "\(sizes)") { try graph.read() }
    }
    // Twice the positions of another image.
    var graph = attentive()
    let place = try #require(graph.model.graph.initializer.firstIndex { $0.name == "attn.table" })
    graph.model.graph.initializer[place].dims = [2, 32, 32]
    graph.model.graph.initializer[place].rawData = Data(count: 4 * 2 * 32 * 32)
    #expect(throws: FileFailure.self) { try graph.read() }
  }

  @Test("Tokens of a transformer end in a pooled vector, its shapes computed with the number of images")
  func tokens() throws {
    var graph = Graph(input: [0, 3, 8, 8])
    graph.convolution("stem", from: "image", 4)
    graph.node("Shape", ["stem"], "shape")
    graph.integers("zero", [0])
    graph.integers("four", [4])
    graph.node("Gather", ["shape", "zero"], "images", [.int("axis", 0)])
    // Windows of 4×4 as images of their own: 4·N of them.
    graph.node("Mul", ["images", "four"], "windows")
    graph.integers("split", [4, 2, 4, 2, 4])
    graph.node("Concat", ["images", "split"], "split sizes", [.int("axis", 0)])
    graph.node("Reshape", ["stem", "split sizes"], "split map")
    graph.node("Transpose", ["split map"], "windowed", [.ints("perm", [0, 2, 4, 3, 5, 1])])
    graph.integers("tokens of", [16, 4])
    graph.node("Concat", ["windows", "tokens of"], "token sizes", [.int("axis", 0)])
    graph.node("Reshape", ["windowed", "token sizes"], "tokens")
    graph.weights("block.norm.weight", [4])
    graph.weights("block.norm.bias", [4])
    graph.node(
      "LayerNormalization", ["tokens", "block.norm.weight", "block.norm.bias"], "normal", [.float("epsilon", 1e-6)])
    graph.weights("onnx::MatMul_7", [4, 4])
    graph.node("MatMul", ["normal", "onnx::MatMul_7"], "mixed", name: "/block/fc/MatMul")
    graph.node("Add", ["tokens", "mixed"], "sum")
    graph.node("ReduceMean", ["sum"], "pooled of windows", [.ints("axes", [1]), .int("keepdims", 0)])
    graph.integers("by image", [-1, 4, 4])
    graph.node("Reshape", ["pooled of windows", "by image"], "of windows")
    graph.node("ReduceMean", ["of windows"], "features", [.ints("axes", [1]), .int("keepdims", 0)])
    graph.weights("fc.weight", [4, 4])
    graph.weights("fc.bias", [4])
    graph.node("Gemm", ["features", "fc.weight", "fc.bias"], "result", [.int("transB", 1)])
    let found = try graph.read()
    #expect(found.network.layers.map(\.operation.kind) == ["convolution", "passed", "linear"])
    let part = try program(found.network, "block")
    #expect(Set(part.learnables.map(\.name)) == ["norm.weight", "norm.bias", "fc.weight"])
    #expect(part.steps.contains { $0.function == .reshape && $0.numbers == [-4, 16, 4] })
    let resolved = try found.network.resolved()
    #expect(resolved.layers[1].output == Shape(channels: 4, height: 1, width: 1))
    let products = 4 * 16 * 4 * 4
    #expect(resolved.layers[1].cost.macs == products)
    #expect(resolved.widthGroups.isEmpty)
  }
}
