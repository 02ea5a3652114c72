import Foundation
import Support

/// Named tensors in a file of weights, whatever wrote it: safetensors, shards of safetensors by their index, or PyTorch's `torch.save`.
///
/// What a file is says its content, not its name.
public struct WeightsFile: Sendable {
  /// What is known of a tensor without reading it.
  public struct Entry: Sendable, Hashable {
    /// The type of its elements.
    public let type: SafetensorsType
    /// Its dimensions; empty for a scalar.
    public let shape: [Int]

    /// Describes a tensor.
    public init(type: SafetensorsType, shape: [Int]) {
      self.type = type
      self.shape = shape
    }
  }

  /// The file's path.
  public let path: String
  /// The tensors by name.
  public let entries: [String: Entry]
  /// Free text under free keys; files of `torch.save` have none.
  public let metadata: [String: String]
  private let source: Source

  private enum Source {
    case one(SafetensorsFile)
    case shards([String: SafetensorsFile])
    case checkpoint(PyTorchCheckpoint)
    case memory([String: Data])
  }

  /// Tensors of 32-bit floating-point numbers that were read out of a file of another format.
  ///
  /// - Parameter tensors: Shapes, and elements as ``withBytes(of:_:)`` hands them out.
  public init(path: String, tensors: [String: (shape: [Int], data: Data)], metadata: [String: String] = [:]) {
    self.path = path
    entries = tensors.mapValues { Entry(type: .float32, shape: $0.shape) }
    self.metadata = metadata
    source = .memory(tensors.mapValues(\.data))
  }

  /// Opens a file of any of the kinds.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when the file or a shard is not there, `badData` when one breaks a rule of its format.
  public init(path: String) throws {
    self.path = path
    let start = try RandomAccessFile(path: path)
    let first = try start.bytes(0..<min(9, start.count))
    // The length of a header may be any, so that its bytes may also be those that another kind begins with.
    let isSafetensors = SafetensorsHeader.begins(first, fileSize: start.count)
    if !isSafetensors, PyTorchCheckpoint.begins(first) {
      let checkpoint = try PyTorchCheckpoint(path: path)
      entries = checkpoint.entries.mapValues { Entry(type: $0.type, shape: $0.shape) }
      metadata = [:]
      source = .checkpoint(checkpoint)
    } else if !isSafetensors, first.first == UInt8(ascii: "{") {
      let index = try ShardIndex(path: path)
      let files = try Dictionary(
        uniqueKeysWithValues: Set(index.shards.values).map { ($0, try SafetensorsFile(path: index.folder + $0)) })
      var entries: [String: Entry] = [:]
      for (name, shard) in index.shards {
        guard let entry = files[shard]?.entries[name] else {
          throw FileFailure(.badData, path: path, reason: "it says that \(name) is in \(shard), but it is not there")
        }
        entries[name] = Entry(type: entry.type, shape: entry.shape)
      }
      self.entries = entries
      metadata = files.keys.sorted().reversed().reduce(into: [:]) { all, shard in
        all.merge(files[shard]?.metadata ?? [:]) { $1 }
      }
      source = .shards(index.shards.compactMapValues { files[$0] })
    } else {
      let file = try SafetensorsFile(path: path)
      entries = file.entries.mapValues { Entry(type: $0.type, shape: $0.shape) }
      metadata = file.metadata
      source = .one(file)
    }
  }

  /// The names of the tensors, sorted by their UTF-8 bytes.
  public var names: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

  /// Calls `body` with the elements of one tensor: little-endian, row-major, without gaps.
  ///
  /// The pointer is valid inside `body` alone.
  ///
  /// - Throws: ``Support/FileFailure``: `badData` when the file holds no such tensor, `io` when it has been changed since it was
  ///   opened; whatever `body` throws.
  public func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    switch source {
    case .one(let file): return try file.withBytes(of: name, body)
    case .checkpoint(let checkpoint): return try checkpoint.withBytes(of: name, body)
    case .memory(let tensors):
      guard let data = tensors[name] else {
        throw FileFailure(.badData, path: path, reason: "it holds no tensor named '\(name)'")
      }
      return try data.withUnsafeBytes(body)
    case .shards(let files):
      guard let file = files[name] else {
        throw FileFailure(.badData, path: path, reason: "it holds no tensor named '\(name)'")
      }
      return try file.withBytes(of: name, body)
    }
  }
}
