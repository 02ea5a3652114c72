import Support

/// A safetensors file, open for reading.
///
/// Opening costs the header alone; a tensor's bytes are read when they are asked for.
/// Everything is validated on opening, so that whoever holds a value may trust its ranges.
/// Format: <https://github.com/huggingface/safetensors>.
public struct SafetensorsFile: Sendable {
  /// One tensor of the file.
  public struct Entry: Sendable, Hashable {
    /// The type of its elements.
    public let type: SafetensorsType
    /// Its dimensions; empty for a scalar.
    public let shape: [Int]
    /// Where its elements stand, in bytes from the start of the file: little-endian, row-major, without gaps.
    public let byteRange: Range<Int>
  }

  /// The file's path.
  public let path: String
  /// The tensors by name.
  public let entries: [String: Entry]
  /// Free text under free keys, for example `format`: `pt`.
  public let metadata: [String: String]
  private let file: RandomAccessFile

  /// Opens a file and validates all of its structure.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when it cannot be opened, `badData` with the place and the reason when it breaks
  ///   any rule of the format.
  public init(path: String) throws {
    file = try RandomAccessFile(path: path)
    let size = file.count
    let extent = try file.withBytes(0..<min(8, size)) { SafetensorsHeader.extent($0, fileSize: size) }
    let header = try file.withBytes(0..<extent) { try SafetensorsHeader(start: $0, fileSize: size, path: path) }
    self.path = path
    entries = header.entries
    metadata = header.metadata
  }

  /// The names of the tensors, sorted by their UTF-8 bytes.
  public var names: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

  /// Calls `body` with the bytes of one tensor.
  ///
  /// The pointer is valid inside `body` alone, and aligned to 16 bytes.
  ///
  /// - Throws: ``Support/FileFailure``: `badData` when the file holds no such tensor, `io` when it has been changed since it was
  ///   opened; whatever `body` throws.
  public func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let entry = entries[name] else {
      throw FileFailure(.badData, path: path, reason: "it holds no tensor named '\(name)'")
    }
    return try file.withBytes(entry.byteRange, body)
  }
}
