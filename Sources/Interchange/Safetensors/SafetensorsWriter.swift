import Foundation
import Support

/// Writes safetensors files, byte for byte as the reference library does.
public enum SafetensorsWriter {
  /// One tensor to be written.
  public struct Tensor {
    /// Its name.
    public var name: String
    /// The type of its elements.
    public var type: SafetensorsType
    /// Its dimensions; empty for a scalar.
    public var shape: [Int]
    /// Calls its argument with the bytes of the tensor, in order, in one or several pieces.
    ///
    /// It is called once, when the tensor's turn has come, so that no more than one tensor need be in memory.
    public var withBytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// Describes a tensor whose bytes are made when they are needed.
    public init(
      name: String, type: SafetensorsType, shape: [Int],
      withBytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
      self.name = name
      self.type = type
      self.shape = shape
      self.withBytes = withBytes
    }

    /// Describes a tensor whose bytes are at hand: little-endian, row-major.
    public init(name: String, type: SafetensorsType, shape: [Int], data: Data) {
      self.init(name: name, type: type, shape: shape) { body in try data.withUnsafeBytes { try body($0) } }
    }
  }

  /// Replaces the file at `path` by one that holds `tensors`.
  ///
  /// Equal content gives equal bytes, whatever the order of `tensors`: larger element types come first, then names in byte
  /// order, and metadata keys are sorted. The metadata always holds `format`: `pt`, which PyTorch's tools look for.
  ///
  /// - Throws: ``Support/FileFailure``: `badData` when names repeat, a shape is impossible or the bytes of a tensor do not fit its
  ///   shape; `cannotCreate` or `io` when writing fails. The former file stays as it was then.
  public static func write(_ tensors: [Tensor], metadata: [String: String] = [:], to path: String) throws {
    let ordered = tensors.sorted { a, b in
      a.type.rank != b.type.rank
        ? a.type.rank > b.type.rank : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
    let (header, byteCounts) = try header(of: ordered, metadata: metadata, path: path)
    try AtomicFile.write(to: path) { writer in
      try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try writer.write($0) }
      try header.withUnsafeBytes { try writer.write($0) }
      for (tensor, byteCount) in zip(ordered, byteCounts) {
        var written = 0
        try tensor.withBytes { bytes in
          written += bytes.count
          if written <= byteCount { try writer.write(bytes) }
        }
        guard written == byteCount else {
          throw bad(
            path,
            "\(tensor.name): \(tensor.type.rawValue) of shape \(tensor.shape) takes \(byteCount) bytes, got \(written)")
        }
      }
    }
  }

  private static func header(
    of tensors: [Tensor], metadata: [String: String], path: String
  ) throws -> (header: [UInt8], byteCounts: [Int]) {
    var metadata = metadata
    metadata["format"] = "pt"
    let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { "\(quoted($0.key)):\(quoted($0.value))" }
    var members = ["\(quoted(SafetensorsHeader.metadataKey)):{\(texts.joined(separator: ","))}"]
    var byteCounts: [Int] = []
    var names: Set<String> = [SafetensorsHeader.metadataKey]
    var offset = 0
    for tensor in tensors {
      guard names.insert(tensor.name).inserted else {
        throw bad(path, "two tensors have the name '\(tensor.name)', or the name is reserved")
      }
      guard let count = tensor.type.byteCount(shape: tensor.shape),
        case let (end, overflow) = offset.addingReportingOverflow(count),
        !overflow
      else { throw bad(path, "\(tensor.name): a tensor of shape \(tensor.shape) cannot exist") }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        #"\#(quoted(tensor.name)):{"dtype":"\#(tensor.type.rawValue)","shape":[\#(shape)],"data_offsets":[\#(offset),\#(end)]}"#
      )
      byteCounts.append(count)
      offset = end
    }
    var header = Array("{\(members.joined(separator: ","))}".utf8)
    header += Array(repeating: 0x20, count: (8 - header.count % 8) % 8)
    guard header.count <= SafetensorsHeader.longest else {
      throw bad(path, "its header would take \(header.count) bytes; the limit is \(SafetensorsHeader.longest)")
    }
    return (header, byteCounts)
  }

  private static func bad(_ path: String, _ reason: String) -> FileFailure {
    FileFailure(.badData, path: path, reason: "not written: \(reason)")
  }

  // Escapes as serde_json, with which the reference library writes its headers.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{08}": result += "\\b"
      case "\u{0C}": result += "\\f"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
