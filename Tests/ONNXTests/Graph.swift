import Foundation
import Networks
import Support
import SwiftProtobuf

@testable import ONNX

/// A model by hand, in a file of its own.
struct Graph {
  var model = PBModelProto()

  init(input: [Int] = [1, 3, 8, 8], opset: Int64 = 17) {
    model.irVersion = 8
    var operators = PBOperatorSetIdProto()
    operators.version = opset
    model.opsetImport = [operators]
    model.graph.input = [Self.info("image", input)]
    model.graph.output = [Self.info("result", [])]
  }

  static func info(_ name: String, _ shape: [Int]) -> PBValueInfoProto {
    var info = PBValueInfoProto()
    info.name = name
    info.type.tensorType.elemType = 1
    info.type.tensorType.shape.dim = shape.map { size in
      var dimension = PBTensorShapeProto.Dimension()
      if size > 0 { dimension.dimValue = Int64(size) } else { dimension.dimParam = "n" }
      return dimension
    }
    return info
  }

  mutating func node(
    _ operation: String, _ inputs: [String], _ output: String, name: String = "", _ attributes: [PBAttributeProto] = []
  ) {
    var node = PBNodeProto()
    (node.opType, node.input, node.output, node.name, node.attribute) = (operation, inputs, [output], name, attributes)
    model.graph.node.append(node)
  }

  mutating func weights(_ name: String, _ shape: [Int]) {
    var tensor = PBTensorProto()
    (tensor.name, tensor.dims, tensor.dataType) = (name, shape.map(Int64.init), 1)
    tensor.rawData = Data(count: 4 * shape.reduce(1, *))
    model.graph.initializer.append(tensor)
  }

  mutating func numbers(_ name: String, _ values: [Float], shape: [Int]? = nil) {
    var tensor = PBTensorProto()
    (tensor.name, tensor.dims, tensor.dataType) = (name, (shape ?? [values.count]).map(Int64.init), 1)
    tensor.floatData = values
    model.graph.initializer.append(tensor)
  }

  mutating func integers(_ name: String, _ values: [Int]) {
    var tensor = PBTensorProto()
    (tensor.name, tensor.dims, tensor.dataType, tensor.int64Data) = (
      name, [Int64(values.count)], 7, values.map(Int64.init)
    )
    model.graph.initializer.append(tensor)
  }

  mutating func convolution(_ name: String, from: String, _ channels: Int = 4, inputs: Int = 3, bias: String? = nil) {
    weights("\(name).weight", [channels, inputs, 3, 3])
    if let bias { weights(bias, [channels]) }
    node("Conv", [from, "\(name).weight"] + (bias.map { [$0] } ?? []), name, [.ints("pads", [1, 1, 1, 1])])
  }

  /// The way from a map to four scores.
  mutating func classifier(from: String, inputs: Int = 4) {
    weights("fc.weight", [4, inputs])
    weights("fc.bias", [4])
    node("GlobalAveragePool", [from], "pooled")
    node("Flatten", ["pooled"], "flat")
    node("Gemm", ["flat", "fc.weight", "fc.bias"], "result", [.int("transB", 1)])
  }

  func read(
    resolution: Int? = nil, _ batchNormalization: ONNXImport.BatchNormalization = .auto
  ) throws -> ONNXImport {
    try Self.read(try model.serializedData(), resolution: resolution, batchNormalization)
  }

  static func read(
    _ data: Data, resolution: Int? = nil, _ batchNormalization: ONNXImport.BatchNormalization = .auto
  ) throws -> ONNXImport {
    let path = NSTemporaryDirectory() + "width-transfer-tests-\(UUID().uuidString).onnx"
    try data.write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try ONNXImport(path: path, resolution: resolution, batchNormalization: batchNormalization)
  }

  var kinds: [String] { get throws { try read().network.layers.map(\.operation.definition.kind) } }
}
