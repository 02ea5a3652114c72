import Foundation
import Support

/// `model.safetensors.index.json`: which tensor is in which of the files beside it.
struct ShardIndex {
  /// The most bytes of an index that are read: a tensor takes about a hundred.
  private static let longest = 100_000_000

  /// The folder of the index and its files, with a slash at its end; empty for the current one.
  let folder: String
  /// The file's name for each tensor.
  let shards: [String: String]

  private struct Document: Decodable {
    var weightMap: [String: String]

    enum CodingKeys: String, CodingKey {
      case weightMap = "weight_map"
    }
  }

  init(path: String) throws {
    func bad(_ reason: String) -> FileFailure { FileFailure(.badData, path: path, reason: reason) }
    let file = try RandomAccessFile(path: path)
    guard file.count <= Self.longest else { throw bad("it begins as a JSON document, but is far too long for one") }
    guard let document = try? JSONDecoder().decode(Document.self, from: Data(try file.bytes(0..<file.count))) else {
      throw bad("it is a JSON document, but no index of shards: it has no object `weight_map` of tensors and files")
    }
    for shard in Set(document.weightMap.values).sorted() {
      guard !shard.isEmpty, !shard.contains("/"), !shard.contains("\0") else {
        throw bad("it names the file '\(shard.prefix(100))', which is not beside it; such an index is refused")
      }
    }
    folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    shards = document.weightMap
  }
}
