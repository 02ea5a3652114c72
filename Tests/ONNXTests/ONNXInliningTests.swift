import Foundation
import Interchange
import Networks
import Support
import SwiftProtobuf
import Testing

@testable import ONNX

@Suite("Functions and branches inside of ONNX files")
struct ONNXInliningTests {
  private func node(
    _ operation: String, _ inputs: [String], _ outputs: [String], domain: String = "",
    _ attributes: [PBAttributeProto] = []
  ) -> PBNodeProto {
    var node = PBNodeProto()
    (node.opType, node.input, node.output, node.domain, node.attribute) = (
      operation, inputs, outputs, domain, attributes
    )
    return node
  }

  private func function(_ name: String, _ inputs: [String], _ outputs: [String], _ nodes: [PBNodeProto])
    -> PBFunctionProto
  {
    var function = PBFunctionProto()
    (function.name, function.domain, function.input, function.output, function.node) = (
      name, "own", inputs, outputs, nodes
    )
    return function
  }

  /// A convolution, what `body` makes of it under the name `changed`, and a classifier.
  private func graph(_ body: (inout Graph) -> Void) -> Graph {
    var graph = Graph()
    graph.convolution("conv", from: "image")
    body(&graph)
    graph.classifier(from: "changed")
    return graph
  }

  @Test("A function is written out wherever it is called, with its attributes, also inside of others")
  func functions() throws {
    var leak = PBAttributeProto()
    (leak.name, leak.type, leak.refAttrName) = ("alpha", .float, "slope")
    let graph = graph { graph in
      var inner = function("Leak", ["x"], ["y"], [node("LeakyRelu", ["x"], ["y"], [leak])])
      inner.attribute = ["slope"]
      // The same names inside as outside, and an order of its own.
      let outer = function(
        "Block", ["conv"], ["pooled"],
        [
          node("Leak", ["conv"], ["flat"], domain: "own", [.float("slope", 0.25)]),
          node("Sigmoid", ["flat"], ["gate"]), node("Mul", ["flat", "gate"], ["pooled"]),
        ])
      graph.model.functions = [inner, outer]
      graph.model.graph.node.append(node("Block", ["conv"], ["first"], domain: "own"))
      graph.model.graph.node.append(node("Block", ["first"], ["changed"], domain: "own"))
    }
    let kinds = try graph.kinds
    #expect(
      kinds == [
        "convolution", "negativeSlope", "silu", "negativeSlope", "silu", "globalAveragePool", "flatten", "linear",
      ])
    let names = try graph.read().network.layers.map(\.name)
    #expect(Set(names).count == names.count)
  }

  @Test("A branch inside of a function reads the function's own names")
  func branches() throws {
    let graph = graph { graph in
      var branch = PBGraphProto()
      branch.node = [node("Sigmoid", ["image"], ["kept"])]
      branch.output = [Graph.info("kept", [])]
      var other = branch
      other.node[0].opType = "Relu"
      func attribute(_ name: String, _ graph: PBGraphProto) -> PBAttributeProto {
        var attribute = PBAttributeProto()
        (attribute.name, attribute.type, attribute.g) = (name, .graph, graph)
        return attribute
      }
      var condition = PBTensorProto()
      (condition.name, condition.dataType, condition.rawData) = ("yes", 9, Data([1]))
      graph.model.graph.initializer.append(condition)
      // Its input is called as the model's own.
      graph.model.functions = [
        function(
          "Gate", ["image", "condition"], ["gate"],
          [node("If", ["condition"], ["gate"], [attribute("then_branch", branch), attribute("else_branch", other)])])
      ]
      graph.model.graph.node.append(node("Gate", ["conv", "yes"], ["gates"], domain: "own"))
      graph.model.graph.node.append(node("Mul", ["conv", "gates"], ["changed"]))
    }
    let layers = try graph.read().network.layers
    #expect(
      layers.map(\.operation.definition.kind) == [
        "convolution", "sigmoid", "multiply", "globalAveragePool", "flatten", "linear",
      ])
    #expect(layers[1].inputs == [layers[0].name])
  }

  @Test("Functions that call themselves, or become too many nodes, are refused before they do")
  func endless() throws {
    let own = graph { graph in
      graph.model.functions = [function("Self", ["x"], ["y"], [node("Self", ["x"], ["y"], domain: "own")])]
      graph.model.graph.node.append(node("Self", ["conv"], ["changed"], domain: "own"))
    }
    let failure = #expect(throws: FileFailure.self) { try own.read() }
    #expect(failure?.message.contains("deep") == true)
    // Seven levels of forty calls each.
    let many = graph { graph in
      graph.model.functions = (0..<7).map { level in
        function(
          "F\(level)", ["x0"], ["x40"],
          (0..<40).map { step in
            level == 6
              ? node("Relu", ["x\(step)"], ["x\(step + 1)"])
              : node("F\(level + 1)", ["x\(step)"], ["x\(step + 1)"], domain: "own")
          })
      }
      graph.model.graph.node.append(node("F0", ["conv"], ["changed"], domain: "own"))
    }
    let tooMany = #expect(throws: FileFailure.self) { try many.read() }
    #expect(tooMany?.message.contains("MB of nodes") == true)
    // The same with nothing in the last of them: no node at all, and as many calls.
    let empty = graph { graph in
      graph.model.functions = (0..<7).map { level in
        function(
          "F\(level)", ["x"], ["y"],
          level == 6 ? [] : (0..<40).map { _ in node("F\(level + 1)", ["x"], ["y"], domain: "own") })
      }
      graph.model.graph.node.append(node("F0", ["conv"], ["changed"], domain: "own"))
    }
    let calls = #expect(throws: FileFailure.self) { try empty.read() }
    #expect(calls?.message.contains("MB of nodes") == true)
    // A long name, in every node of a function that is called often.
    let long = graph { graph in
      let name = String(repeating: "n", count: 100_000)
      graph.model.functions = [
        function("Long", ["x"], ["y"], [node("Relu", ["x"], [name]), node("Relu", [name], ["y"])])
      ]
      for call in 0..<1000 {
        graph.model.graph.node.append(
          node("Long", [call == 0 ? "conv" : "c\(call - 1)"], [call == 999 ? "changed" : "c\(call)"], domain: "own"))
      }
    }
    let names = #expect(throws: FileFailure.self) { try long.read() }
    #expect(names?.message.contains("MB of nodes") == true)
  }

  private func branches(_ truth: Bool?) -> Graph {
    graph { graph in
      func branch(_ operation: String, _ result: String) -> PBGraphProto {
        var branch = PBGraphProto()
        branch.node = [node(operation, ["conv"], [result])]
        branch.output = [Graph.info(result, [])]
        return branch
      }
      var (then, other) = (PBAttributeProto(), PBAttributeProto())
      (then.name, then.type, then.g) = ("then_branch", .graph, branch("Relu", "a"))
      (other.name, other.type, other.g) = ("else_branch", .graph, branch("Sigmoid", "b"))
      if let truth {
        var condition = PBTensorProto()
        (condition.name, condition.dataType, condition.rawData) = ("truth", 9, Data([truth ? 1 : 0]))
        graph.model.graph.initializer.append(condition)
      } else {
        graph.node("Greater", ["conv", "conv"], "truth")
      }
      graph.model.graph.node.append(node("If", ["truth"], ["changed"], [then, other]))
    }
  }

  @Test("Of an If whose condition is known its branch is read; of any other the node is named")
  func conditions() throws {
    #expect(try branches(true).kinds == ["convolution", "relu", "globalAveragePool", "flatten", "linear"])
    #expect(try branches(false).kinds == ["convolution", "sigmoid", "globalAveragePool", "flatten", "linear"])
    let failure = #expect(throws: FileFailure.self) { try branches(nil).read() }
    #expect(failure?.message.contains("changed") == true || failure?.message.contains("Greater") == true)
  }

  @Test("Weights that lie in the branch that is taken come along")
  func weightsInside() throws {
    var weight = PBTensorProto()
    (weight.name, weight.dims, weight.dataType) = ("inner.weight", [4, 4, 1, 1], 1)
    weight.floatData = (0..<16).map(Float.init)
    var model = branches(true)
    let last = try #require(model.model.graph.node.lastIndex { $0.opType == "If" })
    model.model.graph.node[last].attribute[0].g.node[0] = node("Conv", ["conv", "inner.weight"], ["a"])
    model.model.graph.node[last].attribute[0].g.initializer = [weight]
    let path = NSTemporaryDirectory() + "width-transfer-tests-\(UUID().uuidString).onnx"
    try model.model.serializedData().write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let found = try ONNXImport(path: path)
    let name = try #require(found.network.layers.dropFirst().first?.name)
    let numbers = try found.weights().withBytes(of: "\(name).weight") { Array($0.bindMemory(to: Float.self)) }
    #expect(numbers == (0..<16).map(Float.init))
  }

  @Test("Graphs inside of nodes are counted before they are decoded")
  func census() throws {
    // Sixteen levels, each an If of the next.
    var inner = PBGraphProto()
    for _ in 0..<16 {
      var attribute = PBAttributeProto()
      (attribute.name, attribute.type, attribute.g) = ("then_branch", .graph, inner)
      var outer = PBGraphProto()
      outer.node = [node("If", ["truth"], ["a"], [attribute])]
      inner = outer
    }
    var deep = graph { $0.node("Relu", ["conv"], "changed") }
    deep.model.graph.node.append(contentsOf: inner.node)
    let failure = #expect(throws: FileFailure.self) { try deep.read() }
    #expect(failure?.message.contains("deep") == true)
    // Two bytes each: a field of nodes, and a length of nothing.
    var crowd = PBAttributeProto()
    (crowd.name, crowd.type) = ("then_branch", .graph)
    crowd.g.node = Array(repeating: PBNodeProto(), count: WireCensus.mostNodes + 1)
    var wide = graph { $0.node("Relu", ["conv"], "changed") }
    wide.model.graph.node.append(node("If", ["truth"], ["a"], [crowd]))
    let tooMany = #expect(throws: FileFailure.self) { try wide.read() }
    #expect(tooMany?.message.contains("nodes and tensors") == true)
  }
}
