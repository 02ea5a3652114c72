import Foundation
import Networks
import Support
import SwiftProtobuf
import Testing

@testable import Interchange
@testable import ONNX

/// What becomes of a file's numbers on their way to a state dict.
@Suite("Numbers of ONNX files") struct ONNXNumbersTests {
  /// Reads a graph, and gives its numbers by their names in the state dict.
  private func numbers(_ graph: Graph, _ names: String...) throws -> [[Float]] {
    let path = NSTemporaryDirectory() + "width-transfer-tests-\(UUID().uuidString).onnx"
    try graph.model.serializedData().write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let weights = try ONNXImport(path: path).weights()
    return try names.map { try weights.withBytes(of: $0) { Array($0.bindMemory(to: Float.self)) } }
  }

  private func kinds(_ graph: Graph) throws -> [String] {
    try graph.kinds.filter { !["flatten", "linear"].contains($0) }
  }

  private static func half(_ name: String, _ bits: [UInt16], type: Int32) -> PBTensorProto {
    var tensor = PBTensorProto()
    (tensor.name, tensor.dataType) = (name, type)
    tensor.rawData = bits.withUnsafeBytes { Data($0) }
    return tensor
  }

  /// A normalization of two groups over the four channels of a convolution, as exporters of before opset 21 write it.
  private func grouped() -> Graph {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.numbers("ones", [1, 1])
    graph.numbers("zeros", [0, 0])
    graph.integers("apart", [0, 2, -1])
    graph.integers("together", [1, 4, 8, 8])
    graph.node("Reshape", ["conv", "apart"], "groups")
    graph.node("InstanceNormalization", ["groups", "ones", "zeros"], "normal")
    graph.node("Reshape", ["normal", "together"], "map")
    for (name, values) in [
      ("norm.weight", [1, 2, 3, 4] as [Float]), ("norm.bias", [5, 6, 7, 8]), ("gamma", [9, 9, 8, 8]),
    ] {
      graph.numbers(name, values, shape: [4, 1, 1])
    }
    return graph
  }

  @Test("A normalization of groups has one factor and one shift; what follows is a layer of its own")
  func groups() throws {
    var plain = grouped()
    plain.node("Mul", ["map", "norm.weight"], "scaled")
    plain.node("Add", ["scaled", "norm.bias"], "shifted")
    var more = plain
    plain.classifier(from: "shifted")
    #expect(try kinds(plain) == ["convolution", "groupNorm", "globalAveragePool"])
    #expect(try numbers(plain, "norm.weight", "norm.bias") == [[1, 2, 3, 4], [5, 6, 7, 8]])
    more.node("Mul", ["shifted", "gamma"], "twice")
    more.classifier(from: "twice")
    #expect(try kinds(more) == ["convolution", "groupNorm", "channelScale", "globalAveragePool"])
    #expect(try numbers(more, "norm.weight", "norm.bias") == [[1, 2, 3, 4], [5, 6, 7, 8]])
    // A second shift has no place in it.
    var shifted = grouped()
    shifted.node("Add", ["map", "norm.bias"], "once")
    shifted.node("Add", ["once", "gamma"], "again")
    shifted.classifier(from: "again")
    #expect(try kinds(shifted) == ["convolution", "groupNorm", "passed", "globalAveragePool"])
    // A factor on one of two ways is that way's alone.
    var branches = grouped()
    branches.node("Mul", ["map", "gamma"], "scaled")
    branches.node("Add", ["map", "scaled"], "sum")
    branches.classifier(from: "sum")
    #expect(try kinds(branches) == ["convolution", "groupNorm", "channelScale", "add", "globalAveragePool"])
    #expect(try numbers(branches, "instancenormalization.weight", "gamma") == [[1, 1, 1, 1], [9, 9, 8, 8]])
  }

  @Test("The operator of opset 21 normalizes groups; factors for each group are refused")
  func groupNormalization() throws {
    func graph(_ factors: [Float], groups: Int = 2) -> Graph {
      var graph = Graph(opset: 21)
      graph.convolution("conv", from: "image")
      graph.numbers("norm.weight", factors)
      graph.numbers("norm.bias", factors)
      graph.node(
        "GroupNormalization", ["conv", "norm.weight", "norm.bias"], "map", [.int("num_groups", groups)])
      graph.classifier(from: "map")
      return graph
    }
    let sound = graph([1, 2, 3, 4])
    #expect(try kinds(sound) == ["convolution", "groupNorm", "globalAveragePool"])
    #expect(try numbers(sound, "norm.weight", "norm.bias") == [[1, 2, 3, 4], [1, 2, 3, 4]])
    guard case .other(let other) = try sound.read().network.layers[1].operation else { return }
    let norm = try #require(other.definition as? GroupNorm)
    #expect(norm.groups == 2 && norm.epsilon == 1e-5 && norm.hasBias)
    for (factors, groups) in [([1, 2] as [Float], 2), ([1, 2, 3, 4], 3), ([1, 2, 3, 4], 0)] {
      #expect(throws: FileFailure.self) { try graph(factors, groups: groups).read() }
    }
  }

  @Test("Weights that are given other axes and turned are turned by these")
  func turned() throws {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.numbers("fc.weight", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], shape: [1, 4, 3])
    graph.integers("first", [0])
    graph.node("Squeeze", ["fc.weight", "first"], "matrix")
    graph.node("GlobalAveragePool", ["conv"], "pooled")
    graph.node("Flatten", ["pooled"], "flat")
    graph.node("MatMul", ["flat", "matrix"], "result")
    #expect(try numbers(graph, "fc.weight") == [[1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]])
    // A matrix of inputs by outputs as filters of one place.
    var filters = Graph()
    filters.numbers("mix.weight", (0..<12).map(Float.init), shape: [3, 4])
    filters.integers("axes", [0, 1])
    filters.node("Unsqueeze", ["mix.weight", "axes"], "four")
    filters.node("Transpose", ["four"], "turned", [.ints("perm", [3, 2, 0, 1])])
    filters.node("Conv", ["image", "turned"], "conv")
    filters.classifier(from: "conv")
    #expect(try numbers(filters, "mix.weight") == [[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]])
  }

  @Test("Numbers of 16 bits are read as any others")
  func halves() throws {
    for (type, bits) in [(Int32(10), [UInt16(0), 0x4600]), (16, [0, 0x40C0])] {
      var graph = Graph()
      graph.convolution("conv", from: "image")
      for (name, value) in zip(["least", "most"], bits) {
        graph.model.graph.initializer.append(Self.half(name, [value], type: type))
      }
      graph.node("Clip", ["conv", "least", "most"], "map")
      graph.classifier(from: "map")
      guard case .activation(let function) = try graph.read().network.layers[1].operation else {
        Issue.record("no activation")
        continue
      }
      #expect(function == .relu6, "type \(type)")
    }
  }

  @Test("A tensor whose bytes no integer counts is refused")
  func overflow() throws {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    graph.classifier(from: "conv")
    var tensor = PBTensorProto()
    (tensor.name, tensor.dims, tensor.dataType, tensor.rawData) = ("evil", [1 << 40, 1 << 21], 1, Data(count: 4))
    graph.model.graph.initializer.append(tensor)
    let failure = #expect(throws: FileFailure.self) { try graph.read() }
    #expect(failure?.reason.contains("impossible dimensions") == true)
  }

  @Test("Where normalizations are put back behind all convolutions, gates, classifiers and the normalized are left")
  func restored() throws {
    var graph = Graph()
    graph.convolution("a", from: "image", bias: "a.bias")
    graph.convolution("b", from: "a", inputs: 4, bias: "b.bias")
    for name in ["scale", "shift", "mean", "variance"] { graph.numbers("norm.\(name)", [1, 1, 1, 1]) }
    graph.node("BatchNormalization", ["b"] + ["scale", "shift", "mean", "variance"].map { "norm.\($0)" }, "normal")
    graph.node("GlobalAveragePool", ["normal"], "squeezed")
    graph.weights("gate.weight", [4, 4, 1, 1])
    graph.weights("gate.bias", [4])
    graph.node("Conv", ["squeezed", "gate.weight", "gate.bias"], "gate")
    graph.node("Sigmoid", ["gate"], "factor")
    graph.node("Mul", ["normal", "factor"], "gated")
    graph.convolution("scores", from: "gated", inputs: 4, bias: "scores.bias")
    graph.node("GlobalAveragePool", ["scores"], "pooled")
    graph.node("Flatten", ["pooled"], "result")
    #expect(try graph.read(.restore).restored == ["a"])
    #expect(try graph.read(.leave).restored == [])
  }
}
