import Foundation
import Support

/// What a protobuf message would become, counted before it is decoded.
///
/// Ten megabytes of empty nodes take a gigabyte as values. The census walks over lengths alone, and refuses what no network has.
struct WireCensus {
  static let mostNodes = 200_000, mostFieldsOfNode = 4096, mostDimensions = 64, mostLevels = 8

  private let path: String

  init(path: String) { self.path = path }

  /// Counts a model.
  ///
  /// - Throws: `FileFailure` of kind `badData` when the bytes are no message, are cut off, or hold too much.
  func check(_ data: Data) throws {
    try data.withUnsafeBytes { bytes in
      guard !bytes.isEmpty else { throw failure("it is empty") }
      var count = 0
      var nodes = 0
      try fields(bytes[...]) { number, content in
        count += 1
        guard count <= Self.mostFieldsOfNode else { throw failure("it has more than \(Self.mostFieldsOfNode) parts") }
        guard let content else { return }
        if number == 7 { try graph(content, &nodes, level: 0) }
        if number == 25 { try function(content, &nodes) }
      }
    }
  }

  private func graph(_ bytes: Slice<UnsafeRawBufferPointer>, _ nodes: inout Int, level: Int) throws {
    guard level <= Self.mostLevels else {
      throw failure("its graphs lie more than \(Self.mostLevels) deep in each other")
    }
    try fields(bytes) { number, content in
      guard let content else { return }
      // Nodes, tensors, and what is said of tensors.
      guard [1, 5, 11, 12, 13].contains(number) else { return }
      try part(content, isTensor: number == 5, &nodes)
      if number == 1 { try graphs(inside: content, &nodes, level: level) }
    }
  }

  private func function(_ bytes: Slice<UnsafeRawBufferPointer>, _ nodes: inout Int) throws {
    var count = 0
    try fields(bytes) { number, content in
      guard let content else { return }
      guard number == 7 else {
        count += 1
        guard count <= Self.mostFieldsOfNode else {
          throw failure("a function has more than \(Self.mostFieldsOfNode) parts")
        }
        return
      }
      try part(content, isTensor: false, &nodes)
      try graphs(inside: content, &nodes, level: 0)
    }
  }

  /// One node, tensor or description.
  private func part(_ content: Slice<UnsafeRawBufferPointer>, isTensor: Bool, _ nodes: inout Int) throws {
    nodes += 1
    guard nodes <= Self.mostNodes else { throw failure("it has more than \(Self.mostNodes) nodes and tensors") }
    var count = 0
    let most = isTensor ? Self.mostDimensions : Self.mostFieldsOfNode
    try fields(content) { field, inner in
      // Dimensions come one by one or packed; a tensor's numbers are packed or raw.
      if isTensor, field == 1 {
        count += inner.map(\.count) ?? 1
      } else if !isTensor {
        count += 1
      }
      guard count <= most else { throw failure("one of its nodes or tensors has more than \(most) parts") }
    }
  }

  /// Graphs that are attributes of a node.
  private func graphs(inside node: Slice<UnsafeRawBufferPointer>, _ nodes: inout Int, level: Int) throws {
    try fields(node) { number, content in
      guard number == 5, let content else { return }
      try fields(content) { field, inner in
        guard field == 6, let inner else { return }
        try graph(inner, &nodes, level: level + 1)
      }
    }
  }

  /// Walks over the fields of one message; content for those that have a length.
  private func fields(
    _ bytes: Slice<UnsafeRawBufferPointer>, _ body: (Int, Slice<UnsafeRawBufferPointer>?) throws -> Void
  ) throws {
    var place = bytes.startIndex
    while place < bytes.endIndex {
      let key = try number(bytes, &place)
      guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw failure("it is no ONNX model") }
      let field = Int(key >> 3)
      switch key & 7 {
      case 0:
        _ = try number(bytes, &place)
        try body(field, nil)
      case 1: try skip(8, bytes, &place)
      case 5: try skip(4, bytes, &place)
      case 2:
        let length = try number(bytes, &place)
        guard length <= UInt64(bytes.endIndex - place) else { throw failure("it is cut off, or no ONNX model") }
        let end = place + Int(length)
        try body(field, bytes[place..<end])
        place = end
      default: throw failure("it is no ONNX model")
      }
    }
  }

  private func skip(_ count: Int, _ bytes: Slice<UnsafeRawBufferPointer>, _ place: inout Int) throws {
    guard count <= bytes.endIndex - place else { throw failure("it is cut off, or no ONNX model") }
    place += count
  }

  private func number(_ bytes: Slice<UnsafeRawBufferPointer>, _ place: inout Int) throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard place < bytes.endIndex else { throw failure("it is cut off, or no ONNX model") }
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw failure("it is no ONNX model")
  }

  private func failure(_ reason: String) -> FileFailure { FileFailure(.badData, path: path, reason: reason) }
}
