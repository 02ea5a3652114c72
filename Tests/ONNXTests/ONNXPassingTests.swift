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

  /// A convolution of four channels, then what is added, and classes of it.
  private func behind(_ input: [Int] = [0, 3, 8, 8], opset: Int64 = 17, _ add: (inout Graph) -> String) throws
    -> ONNXImport
  {
    var graph = Graph(input: input, opset: opset)
    graph.convolution("conv", from: "image", 4)
    graph.classifier(from: add(&graph))
    return try graph.read()
  }

  private func refusal(_ input: [Int] = [0, 3, 8, 8], opset: Int64 = 17, _ add: (inout Graph) -> String) -> String {
    #expect(throws: FileFailure.self) { try behind(input, opset: opset, add) }?.description ?? ""
  }

  @Test("Numbers without bounds end in a refusal")
  func hostileNumbers() {
    func rows(_ graph: inout Graph) {
      graph.integers("rows", [-1, 4, 64])
      graph.node("Reshape", ["conv", "rows"], "places")
      graph.node("Exp", ["places"], "one")
    }
    for sides in [[0, 0, 0, 0, 0, Int.min], [0, Int.max, 0, 0, Int.max, 0], [0, 0, -60, 0, 0, -60]] {
      _ = refusal { graph in
        rows(&graph)
        graph.integers("sides", sides)
        graph.node("Pad", ["one", "sides"], "padded")
        return "padded"
      }
    }
    for size in [Int.max, 1 << 62, 1 << 45] {
      _ = refusal { graph in
        rows(&graph)
        graph.node("ReduceMean", ["one"], "mean", [.ints("axes", [1, 2]), .int("keepdims", 1)])
        graph.integers("large", [1, size, 1, 4])
        graph.node("Expand", ["mean", "large"], "expanded")
        graph.node("Flatten", ["expanded"], "flattened", [.int("axis", 1)])
        return "flattened"
      }
    }
    for (start, end, step) in [(0, Int.max, Int.max), (Int.min, Int.max, Int.min), (3, 2, 1)] {
      _ = refusal { graph in
        rows(&graph)
        for (name, value) in [("start", start), ("end", end), ("axis", 1), ("step", step)] {
          graph.integers(name, [value])
        }
        graph.node("Slice", ["one", "start", "end", "axis", "step"], "cut")
        return "cut"
      }
    }
    // Axes without end, sizes that double, a count from the least number.
    _ = refusal { graph in
      rows(&graph)
      graph.integers("axes", [0, 1, 2, 3])
      var last = "one"
      for number in 0..<40 {
        graph.node("Unsqueeze", [last, "axes"], "more \(number)")
        last = "more \(number)"
      }
      return last
    }
    _ = refusal { graph in
      graph.node("Shape", ["conv"], "sizes 0")
      for number in 0..<40 {
        graph.node("Concat", ["sizes \(number)", "sizes \(number)"], "sizes \(number + 1)", [.int("axis", 0)])
      }
      graph.node("Reshape", ["conv", "sizes 40"], "shaped")
      return "shaped"
    }
    _ = refusal { graph in
      for (name, value) in [("first", Int.min), ("last", 1), ("by", 1)] { graph.integers(name, [value]) }
      graph.node("Range", ["first", "last", "by"], "range")
      graph.node("ReduceMean", ["conv", "range"], "mean")
      return "mean"
    }
  }

  @Test("Weights that two layers share are refused, whichever of them is known")
  func sharedWeights() {
    func vector(_ graph: inout Graph) {
      graph.node("GlobalAveragePool", ["conv"], "means")
      graph.node("Flatten", ["means"], "vector")
      graph.weights("w", [4, 4])
    }
    let known = refusal { graph in
      vector(&graph)
      graph.node("MatMul", ["vector", "w"], "one")
      graph.node("Relu", ["one"], "relu")
      graph.node("MatMul", ["relu", "w"], "two")
      return "two"
    }
    #expect(known.contains("shares its weights"))
    let passed = refusal { graph in
      vector(&graph)
      graph.integers("column", [-1, 4, 1])
      graph.node("Reshape", ["vector", "column"], "columns")
      graph.node("MatMul", ["w", "columns"], "mixed")
      graph.integers("row", [-1, 4])
      graph.node("Reshape", ["mixed", "row"], "again")
      graph.node("MatMul", ["again", "w"], "two")
      return "two"
    }
    #expect(passed.contains("shares its weights"))
    // As two shapes in one part.
    let twice = refusal { graph in
      graph.integers("rows", [-1, 4, 64])
      graph.node("Reshape", ["conv", "rows"], "places")
      graph.weights("w", [64])
      graph.integers("axis", [0])
      graph.node("Unsqueeze", ["w", "axis"], "row")
      graph.node("Mul", ["places", "w"], "one")
      graph.node("Add", ["one", "row"], "two")
      graph.integers("map", [-1, 4, 8, 8])
      graph.node("Reshape", ["two", "map"], "mapped")
      return "mapped"
    }
    #expect(twice.contains("several dimensions"))
  }

  @Test("A classifier behind a part is a layer with classes to choose, and a softmax behind it is left out")
  func head() throws {
    var graph = Graph(input: [0, 3, 8, 8])
    graph.convolution("conv", from: "image", 4)
    graph.node("Exp", ["conv"], "exponents")
    graph.node("ReduceMean", ["exponents"], "vector", [.ints("axes", [2, 3]), .int("keepdims", 0)])
    graph.weights("head", [4, 5])
    graph.weights("head.bias", [5])
    graph.node("MatMul", ["vector", "head"], "scores without")
    graph.node("Add", ["scores without", "head.bias"], "scores")
    graph.node("Softmax", ["scores"], "result", [.int("axis", -1)])
    let found = try graph.read()
    #expect(found.network.layers.map(\.operation.kind) == ["convolution", "passed", "linear"])
    #expect(found.remarks.contains { $0.contains("Softmax at the end is left out") })
    #expect(try found.network.with(classes: 7).resolved().output.channels == 7)
    // Where classes are part of it, they are what they are.
    graph.model.graph.node.removeLast(3)
    graph.node("Exp", ["vector"], "result")
    let fixed = try graph.read().network
    #expect(throws: NetworkFailure.self) { try fixed.with(classes: 7) }
  }

  @Test("A softmax at the end is left out also where a type is cast behind it", arguments: ["Identity", "Cast"])
  func cast(operation: String) throws {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.weights("fc.weight", [4, 4])
    graph.weights("fc.bias", [4])
    graph.node("GlobalAveragePool", ["conv"], "pooled")
    graph.node("Flatten", ["pooled"], "flat")
    graph.node("Gemm", ["flat", "fc.weight", "fc.bias"], "scores", [.int("transB", 1)])
    graph.node("Softmax", ["scores"], "shares", [.int("axis", 1)])
    graph.node(operation, ["shares"], "result", operation == "Cast" ? [.int("to", 1)] : [])
    let found = try graph.read()
    #expect(
      found.network.layers.map(\.operation.definition.kind) == [
        "convolution", "globalAveragePool", "flatten", "linear",
      ])
    #expect(found.remarks.contains { $0.contains("Softmax at the end is left out") })
  }

  @Test("A softmax of before opset 13 is over all axes from its own on, and is read where that is one")
  func formerSoftmax() throws {
    func scores(_ graph: inout Graph, _ axis: Int?) -> String {
      graph.integers("rows", [-1, 4, 64])
      graph.node("Reshape", ["conv", "rows"], "places")
      graph.node("Exp", ["places"], "exponents")
      graph.node("Softmax", ["exponents"], "shares", axis.map { [.int("axis", $0)] } ?? [])
      graph.integers("map", [-1, 4, 8, 8])
      graph.node("Reshape", ["shares", "map"], "mapped")
      return "mapped"
    }
    #expect(refusal(opset: 11) { scores(&$0, nil) }.contains("several axes"))
    let last = try behind(opset: 11) { scores(&$0, 2) }
    let now = try behind { scores(&$0, nil) }
    for found in [last, now] {
      let part = try #require(found.network.layers.compactMap { $0.operation.definition as? TensorProgram }.first)
      #expect(part.steps.contains { $0.function == .softmax && $0.numbers == [2] })
    }
  }

  @Test("Statistics of a normalization that is spelled out are refused: training would not know what they are")
  func statistics() {
    for operation in ["Sub", "Div"] {
      let text = refusal { graph in
        graph.node("Relu", ["conv"], "relu")
        graph.numbers("mean", [1, 2, 3, 4], shape: [1, 4, 1, 1])
        graph.node(operation, ["relu", "mean"], "changed")
        return "changed"
      }
      #expect(text.contains(operation))
    }
    // The images' mean, behind a division of all by one number.
    var graph = Graph(input: [0, 3, 8, 8])
    graph.numbers("most", [255], shape: [])
    graph.node("Div", ["image", "most"], "fractions")
    graph.weights("mean image", [3, 8, 8])
    graph.node("Sub", ["fractions", "mean image"], "centred")
    graph.convolution("conv", from: "centred")
    graph.classifier(from: "conv")
    #expect(throws: FileFailure.self) { try graph.read() }
  }

  @Test("What a weight is for is what reads it in the end, also part by part")
  func uses() throws {
    let found = try behind { graph in
      graph.integers("rows", [-1, 4, 64])
      graph.node("Reshape", ["conv", "rows"], "places")
      graph.node("Transpose", ["places"], "tokens", [.ints("perm", [0, 2, 1])])
      graph.weights("attn.in", [4, 8])
      graph.node("Split", ["attn.in"], "in q", [.int("axis", 1)])
      graph.model.graph.node[graph.model.graph.node.count - 1].output = ["in q", "in k"]
      graph.node("MatMul", ["tokens", "in q"], "q")
      graph.node("MatMul", ["tokens", "in k"], "k")
      graph.weights("attn.gain", [4])
      graph.integers("large", [1, 64, 4])
      graph.node("Expand", ["attn.gain", "large"], "gains")
      graph.node("Mul", ["q", "gains"], "weighed")
      graph.node("Add", ["weighed", "k"], "sum")
      graph.weights("attn.shift", [4])
      graph.node("Add", ["sum", "attn.shift"], "shifted")
      graph.node("Transpose", ["shifted"], "back", [.ints("perm", [0, 2, 1])])
      graph.integers("map", [-1, 4, 8, 8])
      graph.node("Reshape", ["back", "map"], "mapped")
      return "mapped"
    }
    let part = try program(found.network, "attn")
    let uses = Dictionary(uniqueKeysWithValues: part.learnables.map { ($0.name, $0.use) })
    #expect(uses == ["in": .weight, "gain": .factor, "shift": .shift])
  }

  @Test(
    "A file of one image at a time is read as one of any number",
    arguments: [[1, 64, -1], [1, -1, 64], [1, 4, 64], [-1, 4, 64]])
  func fixedBatch(sizes: [Int]) throws {
    let found = try behind([1, 3, 8, 8]) { graph in
      graph.node("Exp", ["conv"], "exponents")
      graph.integers("rows", sizes)
      graph.node("Reshape", ["exponents", "rows"], "rows of one")
      graph.node("Softmax", ["rows of one"], "shares", [.int("axis", 2)])
      graph.integers("map", [1, 4, 8, 8])
      graph.node("Reshape", ["shares", "map"], "mapped")
      return "mapped"
    }
    let part = try #require(found.network.layers.compactMap { $0.operation.definition as? TensorProgram }.first)
    #expect(part.steps.first { $0.function == .reshape }?.numbers.first == -1)
    #expect(try found.network.resolved().layers[1].output == Shape(channels: 4, height: 8, width: 8))
  }

  @Test("Part of a shape is that part")
  func partOfShape() throws {
    let found = try behind { graph in
      graph.integers("rows", [-1, 4, 64])
      graph.node("Reshape", ["conv", "rows"], "places")
      graph.node("Exp", ["places"], "exponents")
      graph.node("Shape", ["exponents"], "last", [.int("start", 2), .int("end", 3)])
      graph.integers("front", [-1, 4])
      graph.node("Concat", ["front", "last"], "sizes", [.int("axis", 0)])
      graph.node("Reshape", ["exponents", "sizes"], "same")
      graph.node("Softmax", ["same"], "shares", [.int("axis", 2)])
      graph.integers("map", [-1, 4, 8, 8])
      graph.node("Reshape", ["shares", "map"], "mapped")
      return "mapped"
    }
    #expect(found.network.layers[1].operation.kind == "passed")
  }
}
