import Foundation
import Support
import SwiftProtobuf

/// The numbers of a file's tensors, as little-endian float32.
struct ONNXNumbers {
  private let path: String
  private var tensors: [String: PBTensorProto] = [:]

  /// Reads a file that was found to be a model.
  init(path: String) throws {
    self.path = path
    let model = try ONNXFile.model(path: path)
    for tensor in model.graph.initializer { tensors[tensor.name] = tensor }
    for node in model.graph.node where node.opType == "Constant" {
      guard let name = node.output.first, let value = node.attribute.first(where: { $0.name == "value" }) else {
        continue
      }
      tensors[name] = value.t
    }
  }

  /// A tensor's numbers, with its axes turned if that is asked for.
  ///
  /// - Throws: `FileFailure` that names the tensor.
  func data(_ name: String, turn: ONNXTurn?) throws -> Data {
    guard let tensor = tensors[name] else { throw failure(name, "is not in the file") }
    let dimensions = tensor.dims.map { Int(clamping: $0) }
    let count = try dimensions.reduce(1) { product, size in
      let (value, overflows) = product.multipliedReportingOverflow(by: size)
      guard !overflows, size >= 0, value <= 1 << 31 else { throw failure(name, "has impossible dimensions") }
      return value
    }
    let data = try floats(tensor, count: count)
    guard data.count == 4 * count else {
      throw failure(name, "holds \(data.count / 4) numbers, and its dimensions ask for \(count)")
    }
    guard let turn else { return data }
    guard turn.order.count == turn.dimensions.count, turn.order.sorted() == Array(turn.order.indices),
      turn.dimensions.reduce(1, *) == count
    else { throw failure(name, "has \(dimensions) numbers, and the graph turns axes of \(turn.dimensions)") }
    return Self.arranged(data, turn.dimensions, turn.order)
  }

  private func floats(_ tensor: PBTensorProto, count: Int) throws -> Data {
    var raw = tensor.rawData
    if tensor.dataLocation == .external {
      raw = try Self.external(
        tensor, of: path, bytes: count * (tensor.dataType == 11 ? 8 : tensor.dataType == 1 ? 4 : 2))
    }
    switch tensor.dataType {
    case 1 where raw.isEmpty: return Self.data(tensor.floatData)
    case 1: return raw
    case 11 where raw.isEmpty: return Self.data(tensor.doubleData.map(Float.init))
    case 11: return Self.data(Self.numbers(raw, UInt64.self).map { Float(Double(bitPattern: $0)) })
    case 10, 16: return Self.data(Self.halves(tensor, raw))
    default:
      throw failure(tensor.name, "has elements of type \(tensor.dataType), and weights are floating-point numbers")
    }
  }

  /// The numbers of a tensor of float16 (type 10) or bfloat16 (16), from its bytes or, where there are none, its list.
  static func halves(_ tensor: PBTensorProto, _ raw: Data) -> [Float] {
    let halves = raw.isEmpty ? tensor.int32Data.map { UInt16(truncatingIfNeeded: $0) } : numbers(raw, UInt16.self)
    return tensor.dataType == 10 ? halves.map(float(ofHalf:)) : halves.map { Float(bitPattern: UInt32($0) << 16) }
  }

  // Not `Float16`, which not all processors have.
  static func float(ofHalf bits: UInt16) -> Float {
    let (exponent, fraction) = (Int(bits >> 10) & 31, Float(bits & 0x3ff))
    let size: Float =
      exponent == 0
      ? fraction * Float(sign: .plus, exponent: -24, significand: 1)
      : exponent == 31
        ? (fraction == 0 ? .infinity : .nan)
        : (1024 + fraction) * Float(sign: .plus, exponent: exponent - 25, significand: 1)
    return bits & 0x8000 == 0 ? size : -size
  }

  /// Numbers in a file beside the model, which its writer names: beside it and nowhere else, whatever the name says.
  static func external(_ tensor: PBTensorProto, of path: String, bytes: Int) throws -> Data {
    func failure(_ name: String, _ reason: String) -> FileFailure { Self.failure(path, name, reason) }
    func entry(_ key: String) -> String? { tensor.externalData.first { $0.key == key }?.value }
    guard let location = entry("location"), !location.isEmpty else {
      throw failure(tensor.name, "is in a file without a name")
    }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.hasPrefix("/"), !parts.contains(".."), !location.contains("\0"), !location.contains("\\") else {
      throw failure(tensor.name, "is in \(ONNXFault.shown(location)), which is not beside the model")
    }
    let folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().deletingLastPathComponent()
    let place = folder.appendingPathComponent(location)
    // A symbolic link may lead anywhere.
    let real = place.resolvingSymlinksInPath().path
    guard real.hasPrefix(folder.path + "/") || folder.path == "/" else {
      throw failure(tensor.name, "is in \(ONNXFault.shown(location)), which leads to another folder than the model's")
    }
    let file = try RandomAccessFile(path: place.path)
    guard let offset = Int(entry("offset") ?? "0"), let length = Int(entry("length") ?? "\(bytes)"), offset >= 0,
      length == bytes, offset <= file.count, length <= file.count - offset
    else {
      throw failure(
        tensor.name,
        "asks for \(bytes) bytes from \(ONNXFault.shown(entry("offset") ?? "0")) on of \(ONNXFault.shown(location)), which has \(file.count)"
      )
    }
    return Data(try file.bytes(offset..<offset + length))
  }

  private func failure(_ name: String, _ reason: String) -> FileFailure { Self.failure(path, name, reason) }

  private static func failure(_ path: String, _ name: String, _ reason: String) -> FileFailure {
    FileFailure(.badData, path: path, reason: "the tensor \(ONNXFault.shown(name)) \(reason)")
  }

  private static func data(_ values: [Float]) -> Data { values.withUnsafeBytes { Data($0) } }

  static func numbers<Number: FixedWidthInteger>(_ data: Data, _ type: Number.Type) -> [Number] {
    data.withUnsafeBytes { bytes in
      (0..<bytes.count / MemoryLayout<Number>.size).map {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.size, as: Number.self))
      }
    }
  }

  private static func arranged(_ data: Data, _ dimensions: [Int], _ order: [Int]) -> Data {
    var strides = [Int](repeating: 1, count: dimensions.count)
    for axis in dimensions.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * dimensions[axis + 1] }
    let (sizes, steps) = (order.map { dimensions[$0] }, order.map { strides[$0] })
    let source = numbers(data, UInt32.self)
    var result: [UInt32] = []
    result.reserveCapacity(source.count)
    var place = [Int](repeating: 0, count: order.count)
    for _ in source.indices {
      result.append(source[zip(place, steps).reduce(0) { $0 + $1.0 * $1.1 }])
      for axis in place.indices.reversed() {
        place[axis] += 1
        if place[axis] < sizes[axis] { break }
        place[axis] = 0
      }
    }
    return result.withUnsafeBytes { Data($0) }
  }
}
