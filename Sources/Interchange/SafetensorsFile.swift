import Support

/// A safetensors file, open for reading.
///
/// The file is mapped, not loaded: opening costs the header alone, and a tensor's bytes are read when they are touched.
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
  private let file: MappedFile

  /// Opens a file and validates all of its structure.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when it cannot be opened, `badData` with the place and the reason when it breaks
  ///   any rule of the format.
  public init(path: String) throws {
    file = try MappedFile(path: path)
    let header = try SafetensorsHeader(file: file.bytes, path: path)
    self.path = path
    entries = header.entries
    metadata = header.metadata
  }

  /// The names of the tensors, sorted by their UTF-8 bytes.
  public var names: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

  /// Calls `body` with the bytes of one tensor.
  ///
  /// The pointer is valid inside `body` alone. It is aligned to the element size in files of the reference writer and of
  /// ``SafetensorsWriter``, but the format does not promise that.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `badData` when the file holds no such tensor; whatever `body` throws.
  public func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let entry = entries[name] else {
      throw FileFailure(.badData, path: path, reason: "it holds no tensor named '\(name)'")
    }
    return try withExtendedLifetime(file) {
      try body(UnsafeRawBufferPointer(rebasing: file.bytes[entry.byteRange]))
    }
  }
}
