import Foundation
import Support
import SwiftProtobuf

/// A model in the ONNX format: nodes in the order in which they compute, and the tensors that they read.
///
/// Opset 17 in IR 8, which every runtime since 2022 reads: onnxruntime 1.15 refuses IR 10 and opset 19.
struct ONNXDocument {
  private(set) var graph = PBGraphProto()

  static let opset: Int64 = 17, irVersion: Int64 = 8
  /// Beyond this a protobuf message cannot be read.
  static let mostBytes = 2_000_000_000

  init(name: String) { graph.name = name }

  /// Adds a node.
  mutating func add(
    _ operation: String, _ inputs: [String], to output: String, and others: [String] = [], name: String,
    _ attributes: [PBAttributeProto] = []
  ) {
    var node = PBNodeProto()
    (node.opType, node.input, node.output, node.name, node.attribute) = (
      operation, inputs, [output] + others, name, attributes
    )
    graph.node.append(node)
  }

  /// Adds numbers that nodes read.
  mutating func add(_ values: [Float], shape: [Int], name: String) {
    var tensor = PBTensorProto()
    tensor.name = name
    tensor.dims = shape.map(Int64.init)
    tensor.dataType = Self.float
    tensor.rawData = values.withUnsafeBytes { Data($0) }
    graph.initializer.append(tensor)
  }

  /// Adds numbers that nodes read and that no training changes.
  mutating func add(constant values: [Float], shape: [Int], name: String) {
    var tensor = PBTensorProto()
    tensor.dims = shape.map(Int64.init)
    tensor.dataType = Self.float
    tensor.rawData = values.withUnsafeBytes { Data($0) }
    var attribute = PBAttributeProto()
    attribute.name = "value"
    attribute.type = .tensor
    attribute.t = tensor
    add("Constant", [], to: name, name: name, [attribute])
  }

  /// Adds whole numbers that nodes read.
  mutating func add(_ values: [Int], name: String) {
    var tensor = PBTensorProto()
    tensor.name = name
    tensor.dims = [Int64(values.count)]
    tensor.dataType = Self.int64
    tensor.rawData = values.map { Int64($0).littleEndian }.withUnsafeBytes { Data($0) }
    graph.initializer.append(tensor)
  }

  /// Says what a tensor is; the batch is any number.
  mutating func describe(_ name: String, _ shape: [Int], as role: WritableKeyPath<PBGraphProto, [PBValueInfoProto]>) {
    var info = PBValueInfoProto()
    info.name = name
    info.type.tensorType.elemType = Self.float
    var batch = PBTensorShapeProto.Dimension()
    batch.dimParam = "batch"
    info.type.tensorType.shape.dim =
      [batch]
      + shape.map { size in
        var dimension = PBTensorShapeProto.Dimension()
        dimension.dimValue = Int64(size)
        return dimension
      }
    graph[keyPath: role].append(info)
  }

  /// The model's bytes.
  ///
  /// - Throws: `UsageFailure` when it is too large for the format.
  func serialized(metadata: [String: String], producerVersion: String) throws -> Data {
    let bytes =
      graph.initializer.reduce(0) { $0 + $1.rawData.count }
      + graph.node.reduce(0) { $0 + $1.attribute.reduce(0) { $0 + $1.t.rawData.count } }
    guard bytes < Self.mostBytes else {
      throw UsageFailure(
        "\(graph.name) has \(Format.megabytes(bytes)) of weights, and an ONNX file ends at 2 GB; `format` safetensors has no such end"
      )
    }
    var model = PBModelProto()
    model.irVersion = Self.irVersion
    model.producerName = "width-transfer"
    model.producerVersion = producerVersion
    model.graph = graph
    var operators = PBOperatorSetIdProto()
    operators.version = Self.opset
    model.opsetImport = [operators]
    model.metadataProps = metadata.sorted { $0.key < $1.key }.map { key, value in
      var entry = PBStringStringEntryProto()
      (entry.key, entry.value) = (key, value)
      return entry
    }
    return try model.serializedData()
  }

  private static let float: Int32 = 1, int64: Int32 = 7
}

extension PBAttributeProto {
  static func int(_ name: String, _ value: Int) -> PBAttributeProto {
    var attribute = PBAttributeProto()
    (attribute.name, attribute.type, attribute.i) = (name, .int, Int64(value))
    return attribute
  }

  static func ints(_ name: String, _ values: [Int]) -> PBAttributeProto {
    var attribute = PBAttributeProto()
    (attribute.name, attribute.type, attribute.ints) = (name, .ints, values.map(Int64.init))
    return attribute
  }

  static func string(_ name: String, _ value: String) -> PBAttributeProto {
    var attribute = PBAttributeProto()
    (attribute.name, attribute.type, attribute.s) = (name, .string, Data(value.utf8))
    return attribute
  }

  static func float(_ name: String, _ value: Double) -> PBAttributeProto {
    var attribute = PBAttributeProto()
    (attribute.name, attribute.type, attribute.f) = (name, .float, Float(value))
    return attribute
  }
}
