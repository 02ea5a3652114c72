import Foundation
import Networks
import Support
import SwiftProtobuf
import Testing

@testable import ONNX

@Suite struct ONNXImportTests {
  @Test(
    "What is exported comes back as the same network",
    arguments: ["resnet20", "resnet18", "mobilenet_v2_cifar", "vgg16_cifar", "resnet50_cifar"])
  func roundTrip(name: String) throws {
    let network = try NetworkZoo.network(named: name, classes: 10).scalingWidth(by: 0.25, divisor: 2).resolved()
    // A network is what its file says of it, without a weight looked at.
    let data = try ONNXExport(network).data { name in [Float](repeating: 0, count: try Self.count(name, network)) }
    let found = try Graph.read(data)
    let back = try found.network.resolved()
    let original = network.layers.filter { layer in
      switch layer.layer.operation {
      case .dropout, .stochasticDepth: false
      default: true
      }
    }
    #expect(back.layers.map(\.layer.name).count == original.count)
    for (one, other) in zip(back.layers, original) {
      #expect(one.layer.operation == other.layer.operation, "\(one.layer.name), \(other.layer.name)")
      #expect(one.output == other.output)
      if !other.layer.operation.definition.parameters.isEmpty { #expect(one.layer.name == other.layer.name) }
    }
    #expect(back.cost.macs == network.cost.macs && back.cost.parameters == network.cost.parameters)
    #expect(back.widthGroups.map(\.width) == network.widthGroups.map(\.width))
    #expect(
      back.network.stages.map { $0.blocks.count }
        // A stage of one block repeats nothing.
        == network.network.stages.map { $0.blocks.count }.filter { $0 > 1 })
    #expect(found.restored.isEmpty)
  }

  private static func count(_ name: String, _ network: ResolvedNetwork) throws -> Int {
    let dot = try #require(name.lastIndex(of: "."))
    let (layer, part) = (String(name[..<dot]), String(name[name.index(after: dot)...]))
    let found = try #require(network.layers.first { $0.layer.name == layer })
    guard part == "weight" else { return found.output.channels }
    switch found.layer.operation {
    case .convolution(let convolution):
      let inputs = if case .depthwise = convolution.grouping { 1 } else { found.inputs[0].channels }
      return found.output.channels * inputs * convolution.kernelSize.height * convolution.kernelSize.width
    case .linear:
      return found.output.channels * found.inputs[0].channels * found.inputs[0].height * found.inputs[0].width
    default: return found.output.channels
    }
  }

  @Test("Functions that exporters spell out are recognised")
  func functions() throws {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.node("Sigmoid", ["conv"], "s")
    graph.node("Mul", ["conv", "s"], "silu")
    graph.node("HardSigmoid", ["silu"], "h", [.float("alpha", 1.0 / 6)])
    graph.node("Mul", ["h", "silu"], "swish")
    graph.numbers("root", [1.414_213_5], shape: [])
    graph.numbers("one", [1], shape: [])
    graph.numbers("half", [0.5], shape: [])
    graph.node("Div", ["swish", "root"], "d")
    graph.node("Erf", ["d"], "e")
    graph.node("Add", ["e", "one"], "a")
    graph.node("Mul", ["swish", "a"], "m")
    graph.node("Mul", ["m", "half"], "gelu")
    graph.numbers("zero", [0], shape: [])
    graph.numbers("six", [6], shape: [])
    graph.node("Clip", ["gelu", "zero", "six"], "six_")
    graph.node("Clip", ["six_", "zero"], "relu")
    graph.node("Sigmoid", ["relu"], "alone")
    graph.classifier(from: "alone")
    #expect(
      try graph.kinds == [
        "convolution", "silu", "hardSwish", "gelu", "relu6", "relu", "sigmoid", "globalAveragePool", "flatten",
        "linear",
      ])
  }

  @Test("Squeeze-excite's gate comes after its map, whichever is written first")
  func gates() throws {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.node("ReduceMean", ["conv"], "mean", [.ints("axes", [-1, -2]), .int("keepdims", 1)])
    graph.weights("gate.weight", [4, 4, 1, 1])
    graph.node("Conv", ["mean", "gate.weight"], "g")
    graph.node("Sigmoid", ["g"], "s")
    graph.node("Mul", ["s", "conv"], "gated")
    graph.classifier(from: "gated")
    let network = try graph.read().network
    #expect(
      try graph.kinds == [
        "convolution", "globalAveragePool", "convolution", "sigmoid", "multiply", "globalAveragePool", "flatten",
        "linear",
      ])
    #expect(network.layers[4].inputs == ["conv", network.layers[3].name])
  }

  @Test("Shapes that are computed, weights behind an identity, a product with a bias, and a Pad are taken in")
  func spelledOut() throws {
    var graph = Graph()
    graph.weights("shared", [4, 3, 3, 3])
    graph.node("Identity", ["shared"], "conv.weight")
    graph.integers("pads", [0, 0, 1, 1, 0, 0, 1, 1])
    graph.node("Pad", ["image", "pads"], "padded")
    graph.node("Conv", ["padded", "conv.weight"], "conv", [.ints("strides", [2, 2])])
    graph.integers("axes", [2, 3])
    graph.node("ReduceMean", ["conv"], "mean", [.ints("axes", [2, 3])])
    graph.node("Shape", ["mean"], "shape")
    var zero = PBAttributeProto()
    (zero.name, zero.type) = ("value", .tensor)
    (zero.t.dims, zero.t.dataType, zero.t.int64Data) = ([], 7, [0])
    graph.node("Constant", [], "zero", [zero])
    graph.node("Gather", ["shape", "zero"], "batch")
    graph.node("Unsqueeze", ["batch", "axes"], "batches")
    graph.integers("rest", [-1])
    graph.node("Concat", ["batches", "rest"], "target", [.int("axis", 0)])
    graph.node("Reshape", ["mean", "target"], "flat")
    graph.weights("m", [4, 7])
    graph.node("MatMul", ["flat", "m"], "product")
    graph.weights("b", [7])
    graph.node("Add", ["product", "b"], "scores")
    graph.node("Softmax", ["scores"], "result")
    // In any order.
    graph.model.graph.node.reverse()
    let found = try graph.read()
    let network = try found.network.resolved()
    #expect(
      network.layers.map(\.layer.operation.definition.kind) == [
        "convolution", "globalAveragePool", "flatten", "linear",
      ])
    guard case .convolution(let convolution) = network.layers[0].layer.operation,
      case .linear(let linear) = network.layers[3].layer.operation
    else {
      Issue.record("no convolution, or no linear layer")
      return
    }
    #expect(convolution.padding == 1 && convolution.stride == 2 && network.layers[0].layer.name == "conv")
    #expect(linear.hasBias && linear.outputFeatures == 7)
    #expect(found.remarks.contains { $0.contains("Softmax") })
  }

  @Test("Of parts that a graph makes, those are layers that it reads; a slice of everything is nothing")
  func unreadParts() throws {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    for (name, values) in [("zero", [0, 0]), ("all", [Int.max, 4]), ("axes", [0, 1]), ("two", [2]), ("last", [-1])] {
      graph.integers(name, values)
    }
    graph.node("Slice", ["conv", "zero", "all", "axes"], "same")
    graph.node("SplitToSequence", ["same", "two"], "parts", [.int("axis", 1)])
    graph.node("SequenceAt", ["parts", "last"], "part")
    graph.node("SequenceAt", ["parts", "last"], "again")
    graph.node("Add", ["part", "again"], "sum")
    graph.classifier(from: "sum", inputs: 2)
    let network = try graph.read().network
    #expect(
      network.layers.map(\.operation.kind) == [
        "convolution", "channelPart", "add", "globalAveragePool", "flatten", "linear",
      ])
    #expect(network.layers[1].operation == .other(ChannelPart(start: 2, end: 4)))
  }

  /// TensorFlow's SAME by hand: max(0, (⌈8 / 2⌉ − 1) · 2 + 3 − 8) = 1, of which the smaller half is above and left.
  @Test("Padding that a graph computes from the image's size, with fractions on the way")
  func computedPadding() throws {
    var graph = Graph()
    graph.integers("rows", [2])
    for (name, value) in [("zero", 0), ("one", 1), ("two", 2), ("three", 3)] as [(String, Float)] {
      graph.numbers("n.\(name)/", [value])
    }
    graph.node("Shape", ["image"], "shape")
    graph.node("Gather", ["shape", "rows"], "size")
    graph.node("Cast", ["size"], "number", [.int("to", 1)])
    graph.node("Div", ["number", "n.two/"], "half")
    graph.node("Ceil", ["half"], "steps")
    graph.node("Sub", ["steps", "n.one/"], "before")
    graph.node("Mul", ["before", "n.two/"], "reach")
    graph.node("Add", ["reach", "n.three/"], "needed")
    graph.node("Sub", ["needed", "number"], "missing")
    graph.node("Clip", ["missing", "n.zero/"], "all")
    graph.node("Div", ["all", "n.two/"], "share")
    graph.node("Cast", ["share"], "low", [.int("to", 7)])
    graph.node("Cast", ["low"], "low as number", [.int("to", 1)])
    graph.node("Sub", ["all", "low as number"], "rest")
    graph.node("Cast", ["rest"], "high", [.int("to", 7)])
    graph.integers("none", [0, 0])
    graph.node("Concat", ["none", "low", "low", "none", "high", "high"], "pads", [.int("axis", 0)])
    graph.node("Pad", ["image", "pads"], "padded")
    graph.weights("conv.weight", [4, 3, 3, 3])
    graph.node("Conv", ["padded", "conv.weight"], "conv", [.ints("strides", [2, 2])])
    graph.classifier(from: "conv")
    let network = try graph.read().network.resolved()
    let pads = network.layers.compactMap { layer in
      if case .other(let other) = layer.layer.operation { other.definition as? Padding } else { nil }
    }
    #expect(pads == [Padding(top: 0, bottom: 1, left: 0, right: 1)])
    #expect(network.layers.first { $0.layer.name == "conv" }?.output == Shape(channels: 4, height: 4, width: 4))
    // A number that nobody can know leads to a refusal, not to a guess.
    graph.model.graph.initializer[3].floatData = [.nan]
    #expect(throws: FileFailure.self) { try graph.read() }
  }

  @Test("Of a network that is not trained, equal tensors are kept once, and layers have their own names all the same")
  func equalTensors() throws {
    var graph = Graph()
    for name in ["weight", "bias", "running_mean", "running_var"] {
      graph.weights("bn1.\(name)", [4])
      graph.node("Identity", ["bn1.\(name)"], "layer1.0.bn1.\(name)")
    }
    graph.convolution("conv1", from: "image")
    func norm(_ name: String, from: String, in graph: inout Graph) {
      graph.node(
        "BatchNormalization", [from] + ["weight", "bias", "running_mean", "running_var"].map { "\(name).\($0)" }, name)
    }
    norm("bn1", from: "conv1", in: &graph)
    graph.convolution("layer1.0.conv1", from: "bn1", inputs: 4)
    norm("layer1.0.bn1", from: "layer1.0.conv1", in: &graph)
    graph.classifier(from: "layer1.0.bn1")
    #expect(
      try graph.read().network.layers.map(\.name).prefix(4) == ["conv1", "bn1", "layer1.0.conv1", "layer1.0.bn1"])
  }

  @Test("A normalization of the images is kept as what it is, and is no layer")
  func preprocessing() throws {
    // torchvision's Normalize before a network; the same after a division of bytes; TensorFlow's, of bytes as fractions.
    var graph = Graph()
    graph.numbers("mean", [0.485, 0.456, 0.406], shape: [3, 1, 1])
    graph.numbers("std", [0.229, 0.224, 0.225], shape: [1, 3, 1, 1])
    graph.node("Sub", ["image", "mean"], "centred")
    graph.node("Div", ["centred", "std"], "normalized")
    graph.convolution("conv", from: "normalized")
    graph.classifier(from: "conv")
    let found = try graph.read()
    #expect(found.network.layers.map(\.name).first == "conv")
    #expect(found.preprocessing?.mean == [0.485, 0.456, 0.406])
    #expect(isNear(found.preprocessing?.std, [0.229, 0.224, 0.225]))
    #expect(found.remarks.contains { $0.contains("mean 0.485, 0.456, 0.406") }, "\(found.remarks)")

    var bytes = Graph()
    bytes.model.graph.input[0].type.tensorType.elemType = 2
    bytes.numbers("most", [255])
    bytes.numbers("mean", [0.5, 0.25, 0.75], shape: [3, 1, 1])
    bytes.numbers("factor", [4, 2, 8], shape: [3, 1, 1])
    bytes.node("Cast", ["image"], "fractions", [.int("to", 1)])
    bytes.node("Div", ["fractions", "most"], "share")
    bytes.node("Sub", ["share", "mean"], "centred")
    bytes.node("Mul", ["factor", "centred"], "normalized")
    bytes.convolution("conv", from: "normalized")
    bytes.classifier(from: "conv")
    let whole = try bytes.read()
    #expect(isNear(whole.preprocessing?.mean, [0.5, 0.25, 0.75]))
    #expect(isNear(whole.preprocessing?.std, [0.25, 0.5, 0.125]))

    var large = Graph()
    large.numbers("mean", [-123.675, -116.28, -103.53], shape: [3, 1, 1])
    large.numbers("scale", [1 / 58.395, 1 / 57.12, 1 / 57.375], shape: [3, 1, 1])
    large.node("Shape", ["image"], "sizes")
    large.node("Add", ["image", "mean"], "centred")
    large.node("Mul", ["centred", "scale"], "normalized")
    large.convolution("conv", from: "normalized")
    // The images' sizes, read beside.
    large.integers("zero", [0])
    large.integers("one", [1])
    large.integers("rest", [-1])
    large.node("Slice", ["sizes", "zero", "one"], "count")
    large.node("Concat", ["count", "rest"], "flat sizes", [.int("axis", 0)])
    large.node("GlobalAveragePool", ["conv"], "pooled")
    large.node("Reshape", ["pooled", "flat sizes"], "flat")
    large.weights("fc.weight", [4, 4])
    large.weights("fc.bias", [4])
    large.node("Gemm", ["flat", "fc.weight", "fc.bias"], "result", [.int("transB", 1)])
    let pixels = try large.read().preprocessing
    #expect(isNear(pixels?.mean, [0.485, 0.456, 0.406]))
    #expect(isNear(pixels?.std, [0.229, 0.224, 0.225]))
  }

  private func isNear(_ found: [Float]?, _ expected: [Float]) -> Bool {
    zip(found ?? [], expected).allSatisfy { abs($0 - $1) < 1e-5 } && found?.count == expected.count
  }

  @Test("A product of fractions with one number stays a layer; what is no normalization is refused")
  func noPreprocessing() throws {
    func graph(
      _ operation: String, _ numbers: [Float], shape: [Int], bytes: Bool = false, casts: Bool = true
    ) -> Graph {
      var graph = Graph()
      if bytes { graph.model.graph.input[0].type.tensorType.elemType = 2 }
      graph.numbers("numbers", numbers, shape: shape)
      if bytes, casts { graph.node("Cast", ["image"], "fractions", [.int("to", 1)]) }
      graph.node(operation, [bytes && casts ? "fractions" : "image", "numbers"], "changed")
      graph.convolution("conv", from: "changed")
      graph.classifier(from: "conv")
      return graph
    }
    let scaled = try graph("Mul", [2], shape: []).read()
    #expect(scaled.preprocessing == nil)
    #expect(scaled.network.layers.count == 5)
    #expect(try graph("Div", [255], shape: [], bytes: true).read().preprocessing?.std == [1, 1, 1])
    // Bytes are divided with what is left over thrown away.
    #expect(throws: FileFailure.self) { try graph("Div", [255], shape: [], bytes: true, casts: false).read() }
    // A factor below 0 is no deviation: the layer that it was before.
    #expect(try graph("Mul", [1, -1, 1], shape: [3, 1, 1]).read().preprocessing == nil)
    for (numbers, shape) in [
      ([1, 0, 1] as [Float], [3, 1, 1]), ([1, -1, 1], [3, 1, 1]), ([1, .nan, 1], [3, 1, 1]),
    ] {
      #expect(throws: FileFailure.self) { try graph("Div", numbers, shape: shape).read() }
    }
    #expect(throws: FileFailure.self) { try graph("Sub", [1, 2, 3, 4, 5, 6, 7, 8], shape: [8]).read() }
    var huge = Graph(input: [1, 1 << 40, 8, 8])
    huge.model.graph.input[0].type.tensorType.elemType = 2
    huge.convolution("conv", from: "image")
    huge.classifier(from: "conv")
    #expect(throws: FileFailure.self) { try huge.read() }
  }

  @Test("Batch normalization is put back where the exporter says that it took one in")
  func folded() throws {
    var graph = Graph()
    graph.convolution("a", from: "image", bias: "onnx::Conv_12")
    graph.convolution("b", from: "a", inputs: 4, bias: "b.bias")
    graph.convolution("c", from: "b", inputs: 4, bias: "c.weight_bias")
    var rule = PBStringStringEntryProto()
    (rule.key, rule.value) = ("pkg.onnxscript.rewriter.rule_name", "FuseBatchNormIntoConv")
    graph.model.graph.node[2].metadataProps = [rule]
    graph.classifier(from: "c")
    func norms(_ way: ONNXImport.BatchNormalization) throws -> [String] {
      let found = try graph.read(way)
      #expect(found.remarks.isEmpty == found.restored.isEmpty)
      return found.restored
    }
    #expect(try norms(.auto) == ["a", "c"])
    #expect(try norms(.leave) == [])
    #expect(try norms(.restore) == ["a", "b", "c"])
    guard case .convolution(let convolution) = try graph.read().network.layers[0].operation else { return }
    #expect(!convolution.hasBias)
  }

  @Test("Another size of images is taken where the network stays the same, and refused where it does not")
  func moved() throws {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.classifier(from: "conv")
    #expect(try graph.read(resolution: 16).network.input.height == 8)
    var places = Graph()
    places.convolution("conv", from: "image")
    places.weights("fc.weight", [4, 256])
    places.node("Flatten", ["conv"], "flat")
    places.node("Gemm", ["flat", "fc.weight"], "result", [.int("transB", 1)])
    #expect(try places.read(resolution: 8).network.layers.count == 3)
    let failure = #expect(throws: UsageFailure.self) { try places.read(resolution: 16) }
    #expect(failure?.description.contains("exported for images of 8 px") == true)
  }

  @Test("Names follow modules")
  func names() {
    func node(_ name: String, _ operation: String, scopes: String? = nil) -> PBNodeProto {
      var node = PBNodeProto()
      (node.name, node.opType) = (name, operation)
      if let scopes {
        var entry = PBStringStringEntryProto()
        (entry.key, entry.value) = ("pkg.torch.onnx.name_scopes", scopes)
        node.metadataProps = [entry]
      }
      return node
    }
    #expect(ONNXNames.module(of: node("/layer1/layer1.0/conv1/Conv", "Conv")) == "layer1.0.conv1")
    #expect(
      ONNXNames.module(of: node("/features/features.1/conv/conv.0/conv.0.0/Conv", "Conv")) == "features.1.conv.0.0")
    #expect(ONNXNames.path(of: node("/layer1/layer1.0/relu_1/Relu", "Relu")) == "layer1.0.relu_1")
    #expect(ONNXNames.path(of: node("/layer1/layer1.0/Add_1", "Add")) == "layer1.0.add")
    #expect(ONNXNames.path(of: node("/Flatten", "Flatten")) == "flatten")
    #expect(
      ONNXNames.module(of: node("n", "Conv", scopes: "['', 'layer1', 'layer1.0.conv1', 'conv2d']")) == "layer1.0.conv1")
    #expect(ONNXNames.module(ofWeight: "layer1.0.conv1.weight") == "layer1.0.conv1")
    #expect(ONNXNames.module(ofWeight: "onnx::Conv_12") == nil)
  }
}

/// Files that are broken, odd or meant to harm: refused with a reason, in bounded time and memory.
@Suite struct ONNXHostileTests {
  private func refuse(_ graph: Graph, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
    let failure = #expect(throws: FileFailure.self, sourceLocation: sourceLocation) { try graph.read() }
    for word in words {
      #expect(
        failure?.reason.contains(word) == true, "\(failure?.reason ?? "") lacks \(word)", sourceLocation: sourceLocation
      )
    }
  }

  private func refuse(_ data: Data, _ word: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let failure = #expect(throws: FileFailure.self, sourceLocation: sourceLocation) { try Graph.read(data) }
    #expect(failure?.reason.contains(word) == true, "\(failure?.reason ?? "")", sourceLocation: sourceLocation)
  }

  private func sound() -> Graph {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.classifier(from: "conv")
    return graph
  }

  @Test("Bytes that are no model are refused")
  func bytes() throws {
    let data = try sound().model.serializedData()
    try refuse(Data(), "empty")
    try refuse(Data("PK\u{3}\u{4}and more".utf8), "no ONNX model")
    try refuse(data.dropLast(7), "cut off")
    try refuse(Data([0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f]), "cut off")
    try refuse(Data(repeating: 0xff, count: 100), "no ONNX model")
    for length in stride(from: 1, to: data.count, by: 37) {
      #expect(throws: FileFailure.self) { try Graph.read(data.prefix(length)) }
    }
  }

  @Test("Ten megabytes of empty nodes, or of one-byte dimensions, are counted and not made")
  func amplification() throws {
    // The graph's field, its length, and then empty nodes of two bytes.
    func model(_ content: Data) -> Data {
      var data = Data([0x3a])
      var length = content.count
      while length > 0x7f {
        data.append(UInt8(length & 0x7f | 0x80))
        length >>= 7
      }
      return data + [UInt8(length)] + content
    }
    try refuse(model(Data((0..<1_000_000).flatMap { _ in [UInt8(0x0a), 0] })), "more than 200000")
    let dimensions = Data([0x0a, 0x80, 0x01]) + Data(repeating: 1, count: 128)
    try refuse(model(Data([0x2a, UInt8(0x80 | 3), 0x01]) + dimensions), "more than 64 parts")
  }

  @Test("Graphs that do not hold together name the node")
  func structure() throws {
    var cycle = sound()
    cycle.node("Add", ["conv", "again"], "sum", name: "the sum")
    cycle.node("Relu", ["sum"], "again")
    cycle.model.graph.node[1].input = ["again"]
    try refuse(cycle, "reads what follows from its own result")
    var dangling = sound()
    dangling.model.graph.node[1].input = ["nowhere"]
    try refuse(dangling, "(GlobalAveragePool)", "nowhere, which nothing writes")
    var twice = sound()
    twice.node("Relu", ["conv"], "pooled", name: "second")
    try refuse(twice, "second", "pooled, which is there already")
    var absent = sound()
    absent.model.graph.initializer.removeAll { $0.name == "conv.weight" }
    try refuse(absent, "conv.weight, which nothing writes")
    var names = sound()
    names.model.graph.node[0].opType = "Evil\u{1b}[31m\n"
    try refuse(names, "(Evil?[31m?)")
  }

  @Test("What was interpolated before opset 11 has other places, and is refused")
  func resizing() throws {
    func graph(_ mode: String) -> Graph {
      var graph = Graph(opset: 10)
      graph.convolution("conv", from: "image")
      graph.numbers("scales", [1, 1, 2, 2])
      var text = PBAttributeProto()
      (text.name, text.type, text.s) = ("mode", .string, Data(mode.utf8))
      graph.node("Resize", ["conv", "scales"], "larger", [text])
      graph.classifier(from: "larger")
      return graph
    }
    #expect(try graph("nearest").kinds.contains("upsample"))
    try refuse(graph("linear"), "by the rule linear with asymmetric")
  }

  @Test("A mean that pads to keep sizes keeps those of the map with its zeros")
  func paddedMean() throws {
    var graph = Graph(input: [1, 3, 4, 4])
    graph.convolution("conv", from: "image")
    graph.integers("pads", [0, 0, 0, 0, 0, 0, 1, 1])
    graph.node("Pad", ["conv", "pads"], "padded")
    var same = PBAttributeProto()
    (same.name, same.type, same.s) = ("auto_pad", .string, Data("SAME_UPPER".utf8))
    graph.node(
      "AveragePool", ["padded"], "means",
      [.ints("kernel_shape", [2, 2]), .ints("strides", [2, 2]), .int("count_include_pad", 1), same])
    graph.classifier(from: "means")
    let network = try graph.read().network.resolved()
    let pool = try #require(network.layers.first { if case .averagePool = $0.layer.operation { true } else { false } })
    #expect(pool.output == Shape(channels: 4, height: 3, width: 3))
  }

  @Test("The bias of a linear layer with one output is its bias")
  func oneBias() throws {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.node("Transpose", ["conv"], "last", [.ints("perm", [0, 2, 3, 1])])
    graph.weights("attn.matrix", [4, 1])
    graph.weights("attn.bias", [1])
    graph.node("MatMul", ["last", "attn.matrix"], "product", name: "/attn/MatMul")
    graph.node("Add", ["attn.bias", "product"], "scores", name: "/attn/Add")
    graph.node("Sigmoid", ["scores"], "gate")
    graph.node("Mul", ["last", "gate"], "gated")
    graph.node("Transpose", ["gated"], "first", [.ints("perm", [0, 3, 1, 2])])
    graph.classifier(from: "first")
    let network = try graph.read().network
    #expect(network.layers.contains { $0.operation == .other(PointwiseLinear(outputFeatures: 1)) })
    #expect(
      !network.layers.contains {
        if case .other(let other) = $0.operation { other.definition is LearnedNumber } else { false }
      })
  }

  @Test("Sizes beside a zero end in a refusal, however large")
  func emptySizes() throws {
    for shape in [[1 << 28, 1 << 28, 1 << 8], [0, 1 << 28, 1 << 28, 1 << 28]] {
      var graph = sound()
      graph.numbers("nothing", [], shape: [0])
      graph.integers("shape", shape)
      graph.integers("again", [1, 0])
      graph.node("Reshape", ["nothing", "shape"], "much", [.int("allowzero", 1)])
      graph.node("Reshape", ["much", "again"], "more", [.int("allowzero", 1)])
      graph.node("Add", ["conv", "more"], "sum")
      graph.model.graph.node[1].input = ["sum"]
      #expect(throws: FileFailure.self) { try graph.read() }
    }
    var turned = sound()
    turned.numbers("nothing", [], shape: [0, 1 << 40, 1 << 40])
    turned.node("Transpose", ["nothing"], "other", [.ints("perm", [1, 2, 0])])
    turned.node("Add", ["conv", "other"], "sum")
    turned.model.graph.node[1].input = ["sum"]
    #expect(throws: FileFailure.self) { try turned.read() }
  }

  @Test("Tensors that claim what they do not hold are refused")
  func tensors() throws {
    var huge = sound()
    huge.model.graph.initializer[0].dims = [1 << 40, 1 << 40, 3, 3]
    try refuse(huge, "conv.weight has impossible dimensions")
    var negative = sound()
    negative.model.graph.initializer[0].dims = [-4, 3, 3, 3]
    try refuse(negative, "impossible dimensions")
    var short = sound()
    short.model.graph.initializer[0].rawData.removeLast(4)
    try refuse(short, "conv.weight has 428 bytes")
    var wrong = sound()
    wrong.model.graph.initializer[0] = {
      var tensor = wrong.model.graph.initializer[0]
      (tensor.dims, tensor.rawData) = ([4, 5, 3, 3], Data(count: 720))
      return tensor
    }()
    try refuse(wrong, "weights of conv are [4, 5, 3, 3]")
  }

  @Test("Kinds of models that are not read say so")
  func kinds() throws {
    var new = sound()
    new.model.opsetImport[0].version = 99
    try refuse(new, "opset 99", "opset_version=17")
    var none = sound()
    none.model.opsetImport = []
    try refuse(none, "which version")
    var flat = sound()
    flat.model.graph.input[0] = Graph.info("image", [1, 3, 8])
    try refuse(flat, "has 3 dimensions")
    var two = sound()
    two.model.graph.output.append(Graph.info("pooled", []))
    try refuse(two, "2 outputs (result", "graph-output")
    var images = sound()
    images.model.graph.input.append(Graph.info("mask", [1, 1, 8, 8]))
    try refuse(images, "2 inputs")
    var foreign = sound()
    foreign.model.graph.node[0].domain = "com.microsoft"
    try refuse(foreign, "com.microsoft", "before a runtime optimized it")
    var unknown = sound()
    unknown.model.graph.node[0].opType = "Loop"
    try refuse(unknown, "(Loop)", "not read")
    for (operation, inputs) in [
      ("ReduceMean", ["norms"]), ("Add", ["norms", "conv"]), ("Div", ["norms"]), ("Mul", ["conv", "conv", "norms"]),
    ] {
      var norms = Graph()
      norms.convolution("conv", from: "image")
      norms.node("ReduceL2", ["conv"], "norms", [.ints("axes", [2, 3])])
      norms.node(operation, inputs, "more", operation == "ReduceMean" ? [.ints("axes", [2, 3])] : [])
      norms.classifier(from: "more")
      try refuse(norms, operation == "ReduceMean" ? "channels" : "global response normalization")
    }
  }

  /// Every operator that is read, and one that is not.
  private static let operators = [
    "Identity", "Cast", "CastLike", "DequantizeLinear", "Dropout", "Shape", "Reshape", "Slice", "Transpose", "Expand",
    "ConstantOfShape", "Range", "Unsqueeze", "Squeeze", "Mul", "Add", "Sub", "Div", "Gather", "Concat", "Conv",
    "InstanceNormalization", "Resize", "Upsample", "BatchNormalization", "LayerNormalization", "Gemm", "MatMul", "Relu",
    "Clip", "HardSwish", "Gelu", "LeakyRelu", "Sigmoid", "HardSigmoid", "Erf", "Split", "SplitToSequence", "SequenceAt",
    "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceL2", "Flatten", "Pad", "Softmax", "Ceil",
    "Loop",
  ]

  @Test("A node that reads nothing, or less than it must, is refused", arguments: operators)
  func inputs(_ operation: String) throws {
    for inputs in [[], [""], ["", ""], ["conv"], ["conv", ""], ["", "conv"]] {
      var graph = Graph()
      graph.convolution("conv", from: "image")
      graph.node(operation, inputs, "more")
      graph.classifier(from: "more")
      // Some need no more than one, or read as nothing what is not there.
      do { _ = try graph.read() } catch is FileFailure {}
    }
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.node(operation, [], "more")
    graph.classifier(from: "more")
    #expect(throws: FileFailure.self) { try graph.read() }
  }

  @Test("Settings that lead nowhere are refused, and never handed on")
  func settings() throws {
    var still = sound()
    still.model.graph.node[0].attribute.append(.ints("strides", [0, 0]))
    try refuse(still, "stride or dilation of 0")
    var groups = sound()
    groups.model.graph.node[0].attribute.append(.int("group", 3))
    try refuse(groups, "3 groups")
    var padding = sound()
    padding.model.graph.node[0].attribute[0] = .ints("pads", [0, 0, -1, 1])
    try refuse(padding, "its pads are")
  }

  @Test("Images of open size need one, and a long chain needs no recursion")
  func odd() throws {
    var open = sound()
    open.model.graph.input[0] = Graph.info("image", [0, 3, 0, 0])
    #expect(throws: UsageFailure.self) { try open.read() }
    #expect(try open.read(resolution: 12).network.input.height == 12)
    var long = Graph()
    long.convolution("conv", from: "image")
    var last = "conv"
    for index in 0..<3000 {
      long.node("Relu", [last], "r\(index)")
      last = "r\(index)"
    }
    long.classifier(from: last)
    #expect(try long.read().network.layers.count == 3004)
  }
}

@Suite("Axes of imported maps")
struct ONNXLayoutTests {
  private static let shape = Shape(channels: 12, height: 5, width: 7)
  private static let map = ONNXLayout.map(shape)

  private static func known(_ sizes: Int...) -> [ONNXValue.Size] { [.batch] + sizes.map { .known($0) } }

  @Test("A shuffle is what regrouping, turning and regrouping make of the channels")
  func shuffle() throws {
    let parts = try #require(Self.map.reshaped(Self.known(3, 4, 5, 7), images: nil))
    #expect(parts.sizes == Self.known(3, 4, 5, 7))
    #expect(parts.reshaped(Self.known(12, 5, 7), images: nil) == Self.map, "nothing was turned")
    let turned = try #require(parts.transposed([0, 2, 1, 3, 4])?.reshaped(Self.known(12, 5, 7), images: nil))
    #expect(turned.shuffle(Self.shape) == 3)
    #expect(Self.map.shuffle(Self.shape) == nil)
    #expect(turned.channelAxis(Self.shape) == nil, "its channels are not the layer's, in their order")
  }

  @Test("Channels last and back, and places on one axis")
  func turned() throws {
    let last = try #require(Self.map.transposed([0, 2, 3, 1]))
    #expect(last == .last(Self.shape))
    #expect(last.transposed([0, 3, 1, 2]) == Self.map)
    #expect(last.transposed([0, 0, 1, 2]) == nil)
    let tokens = try #require(Self.map.reshaped(Self.known(12, -1), images: nil))
    #expect(tokens.sizes == Self.known(12, 35))
    #expect(try #require(tokens.transposed([0, 2, 1])).channelAxis(Self.shape) == 2)
    #expect(tokens.reshaped(Self.known(12, 5, 7), images: nil) == Self.map)
  }

  @Test("A flattening has the channels first; of channels last it would be another order")
  func flattened() throws {
    let flat = try #require(Self.map.reshaped([.open, .known(-1)], images: nil))
    #expect(flat.isFlattened(Self.shape))
    let last = try #require(Self.map.transposed([0, 2, 3, 1])?.reshaped(Self.known(420), images: nil))
    #expect(!last.isFlattened(Self.shape))
  }

  @Test("One place comes and goes")
  func onePlace() throws {
    let shape = Shape(channels: 6, height: 1, width: 1)
    #expect(ONNXLayout.map(shape).reshaped(Self.known(6), images: nil) == .features(shape))
    #expect(ONNXLayout.features(shape).reshaped(Self.known(6, 1, 1), images: nil) == .map(shape))
    #expect(ONNXLayout.features(shape).reshaped(Self.known(1, 6), images: nil)?.channelAxis(shape) == 2)
  }

  @Test(
    "What does not come out even, mixes images, or is too large is not followed",
    arguments: [[5, 84], [12, 5, 8], [0, 0, 0, 0], [-1, -1], [12, 35, 1, 1, 2], [Int.max, Int.max], [-7, 60]])
  func refused(_ sizes: [Int]) {
    #expect(Self.map.reshaped([.batch] + sizes.map { .known($0) }, images: nil) == nil)
    #expect(Self.map.reshaped([.known(12)] + sizes.map { .known($0) }, images: 2) == nil)
  }
}

@Suite("Places that exporters compute")
struct ONNXIndexTests {
  @Test("All in their order are a reshape; any others are not")
  func order() throws {
    let channels = try #require(ONNXIndex(upTo: .known(6)).unsqueezed([0, 2, 3]))
    let images = try #require(ONNXIndex(upTo: .batch).scaled(by: 6)?.unsqueezed([1, 2, 3]))
    let all = try #require(images.adding(channels))
    #expect(all.sizes == [.batch, .known(6), .known(1), .known(1)])
    let wide = try #require(ONNXIndex(upTo: .batch).scaled(by: 7)?.unsqueezed([1, 2, 3])?.adding(channels))
    #expect(wide.sizes == nil, "it leaves one out")
    #expect(try #require(channels.scaled(by: 2)).sizes == nil)
    #expect(images.adding(images) == nil)
    #expect(ONNXIndex(upTo: .open).sizes == nil)
    #expect(ONNXIndex(upTo: .known(3)).scaled(by: Int.max) == nil)
    #expect(ONNXIndex(upTo: .known(3)).unsqueezed([9]) == nil)
  }
}
