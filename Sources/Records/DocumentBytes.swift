import Foundation
import Support

/// The bytes of a document: a file, or a pipe that ends.
enum DocumentBytes {
  /// Reads all of it.
  ///
  /// - Parameter largest: Bytes beyond which it is refused: a device that never ends, or another kind of file.
  /// - Throws: ``Support/FileFailure``: `missing` when there is no such file or it cannot be read, `badData` when it is too large.
  static func read(_ path: String, largest: Int) throws -> Data {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw FileFailure(.missing, path: path, reason: "there is no such file, or it cannot be read")
    }
    defer { try? handle.close() }
    let data: Data
    do {
      data = try handle.read(upToCount: largest + 1) ?? Data()
    } catch {
      throw FileFailure(.missing, path: path, reason: "cannot be read; is it a folder?")
    }
    guard data.count <= largest else {
      throw FileFailure(.badData, path: path, reason: "it is larger than \(largest) bytes; is it the right file?")
    }
    return data
  }
}
