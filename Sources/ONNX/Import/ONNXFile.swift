import Foundation
import Support
import SwiftProtobuf

/// An ONNX file that has been read and found to be one: its nodes in an order in which they can be computed.
struct ONNXFile {
  let path: String
  let input: (name: String, dimensions: [Int?], isWhole: Bool)
  /// Whether images come as rows, columns, channels; ``input`` has the channels first all the same.
  let isChannelsLast: Bool
  let output: String
  let nodes: [PBNodeProto]
  let constants: [String: ONNXTensor]
  /// The version of the standard operators.
  let opset: Int
  /// Free text under free keys.
  let metadata: [String: String]

  private static let opsets = 7...22
  private static let mostBytes = 2_147_483_647

  /// Reads a file under limits.
  ///
  /// - Throws: `FileFailure`: `missing` when it is not there, `badData` when it is no model, or one of a kind that is not read.
  init(path: String, output wanted: String? = nil) throws {
    self.path = path
    do {
      let model = try Self.model(path: path)
      guard model.hasGraph, !model.graph.node.isEmpty else {
        throw ONNXFault("it is no ONNX model, or one without a graph")
      }
      guard let own = model.opsetImport.first(where: { $0.domain.isEmpty || $0.domain == "ai.onnx" }) else {
        throw ONNXFault("it does not say which version of the operators it uses")
      }
      guard Self.opsets.contains(Int(clamping: own.version)) else {
        throw ONNXFault(
          "its operators are those of opset \(own.version), and \(Self.opsets.lowerBound) to \(Self.opsets.upperBound) are read; export it with opset_version=17"
        )
      }
      opset = Int(own.version)
      metadata = Dictionary(model.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
      constants = try Self.constants(model.graph, of: path)
      var input = try Self.input(model.graph, constants)
      // As TensorFlow has them: a few channels behind a side.
      let sides = input.dimensions
      isChannelsLast = sides[3].map { $0 <= 4 && $0 < sides[1] ?? Int.max } ?? false && sides[1] ?? 5 > 4
      if isChannelsLast { input.dimensions = [sides[0], sides[3], sides[1], sides[2]] }
      self.input = input
      let outputs = model.graph.output.map(\.name)
      guard let chosen = outputs.first(where: { $0 == wanted || wanted == nil && outputs.count == 1 }) else {
        let names = Format.list(outputs.map(ONNXFault.shown), most: 4)
        throw ONNXFault(
          wanted.map { "it has no output \(ONNXFault.shown($0)); its outputs: \(names)" }
            ?? "it has \(outputs.count) outputs (\(names)), and one is wanted: name it with `graph-output`, or export the network in evaluation mode"
        )
      }
      output = chosen
      nodes = try Self.sorted(model.graph, constants, input.name, output)
    } catch let fault as ONNXFault {
      throw FileFailure(.badData, path: path, reason: fault.reason)
    }
  }

  /// Reads a message under limits, and writes out its functions and branches.
  static func model(path: String) throws -> PBModelProto {
    let file = try RandomAccessFile(path: path)
    guard file.count <= Self.mostBytes else {
      throw FileFailure(.badData, path: path, reason: "it has more than 2 GB, which no ONNX file can have")
    }
    let data = Data(try file.bytes(0..<file.count))
    try WireCensus(path: path).check(data)
    do {
      var options = BinaryDecodingOptions()
      options.messageDepthLimit = 32
      options.discardUnknownFields = true
      return try ONNXInlining.applied(to: PBModelProto(serializedBytes: data, options: options))
    } catch let fault as ONNXFault {
      throw FileFailure(.badData, path: path, reason: fault.reason)
    } catch is BinaryDecodingError {
      throw FileFailure(.badData, path: path, reason: "it is no ONNX model, or cut off")
    }
  }

  private static func constants(_ graph: PBGraphProto, of path: String) throws -> [String: ONNXTensor] {
    var constants: [String: ONNXTensor] = [:]
    for var tensor in graph.initializer {
      // The newer exporter puts even shapes beside the model. Where that file is not there, there is a network all the same, as a rule.
      if tensor.dataLocation == .external, tensor.dataType == 7,
        let count = try? ONNXTensor(tensor).dimensions.reduce(1, *), count <= ONNXTensor.mostIntegers,
        let data = try? ONNXNumbers.external(tensor, of: path, bytes: 8 * count)
      {
        (tensor.rawData, tensor.dataLocation) = (data, .default)
      }
      guard constants.updateValue(try ONNXTensor(tensor), forKey: tensor.name) == nil else {
        throw ONNXFault("the tensor \(ONNXFault.shown(tensor.name)) is there twice")
      }
    }
    return constants
  }

  private static func input(
    _ graph: PBGraphProto, _ constants: [String: ONNXTensor]
  ) throws -> (name: String, dimensions: [Int?], isWhole: Bool) {
    // Files of before IR 4 list their weights among the inputs.
    let inputs = graph.input.filter { constants[$0.name] == nil }
    guard inputs.count == 1, let only = inputs.first else {
      throw ONNXFault(
        "it has \(inputs.count) inputs (\(Format.list(inputs.map { ONNXFault.shown($0.name) }, most: 4))), and one batch of images is wanted"
      )
    }
    let dimensions = only.type.tensorType.shape.dim.map { dimension -> Int? in
      if case .dimValue(let value) = dimension.value, value > 0 { Int(clamping: value) } else { nil }
    }
    guard dimensions.count == 4 else {
      throw ONNXFault(
        "its input \(ONNXFault.shown(only.name)) has \(dimensions.count) dimensions, and images have four: batch, channels, height, width"
      )
    }
    // Fractions of four sizes, or bytes.
    let type = only.type.tensorType.elemType
    guard [1, 2, 10, 11, 16].contains(type) else {
      throw ONNXFault(
        "its input \(ONNXFault.shown(only.name)) takes neither fractions nor bytes; give the network before its preprocessing"
      )
    }
    return (only.name, dimensions, type == 2)
  }

  /// The nodes that the output needs, each after those that it reads.
  private static func sorted(
    _ graph: PBGraphProto, _ constants: [String: ONNXTensor], _ input: String, _ output: String
  ) throws -> [PBNodeProto] {
    var writers: [String: Int] = [:]
    for (index, node) in graph.node.enumerated() {
      for name in node.output where !name.isEmpty {
        guard writers.updateValue(index, forKey: name) == nil, constants[name] == nil, name != input else {
          throw ONNXFault("\(describe(node)) writes \(ONNXFault.shown(name)), which is there already")
        }
      }
    }
    guard let last = writers[output] else {
      throw ONNXFault("nothing writes its output")
    }
    // By hand and not by recursion: a chain may be as long as a file.
    var order: [Int] = []
    var state = [UInt8](repeating: 0, count: graph.node.count)
    var stack = [(node: last, next: 0)]
    state[last] = 1
    while let top = stack.last {
      let node = graph.node[top.node]
      guard top.next < node.input.count else {
        state[top.node] = 2
        order.append(top.node)
        stack.removeLast()
        continue
      }
      stack[stack.count - 1].next += 1
      let name = node.input[top.next]
      guard !name.isEmpty, name != input, constants[name] == nil else { continue }
      guard let writer = writers[name] else {
        throw ONNXFault("\(describe(node)) reads \(ONNXFault.shown(name)), which nothing writes")
      }
      guard state[writer] != 1 else { throw ONNXFault("\(describe(node)) reads what follows from its own result") }
      if state[writer] == 0 {
        state[writer] = 1
        stack.append((writer, 0))
      }
    }
    return order.map { graph.node[$0] }
  }

  /// A node for people: its name and its operator.
  static func describe(_ node: PBNodeProto) -> String {
    let name = node.name.isEmpty ? node.output.first ?? "" : node.name
    return "the node \(ONNXFault.shown(name)) (\(ONNXFault.shown(node.opType)))"
  }
}
