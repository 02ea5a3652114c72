import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Reads whole files, with a bound.
enum FileBytes {
  /// The content of the file at `path`.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when it cannot be opened, `badData` when it is no file or longer than
  ///   `limit`, `io` when reading fails.
  static func read(path: String, limit: Int) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw FileFailure(.missing, path: path, reason: "cannot be opened (\(errorText(errno)))")
    }
    defer { close(descriptor) }
    let size = try regularSize(descriptor, path: path)
    guard size <= limit else {
      throw FileFailure(.beyondLimit, path: path, reason: "holds \(size) bytes; at most \(limit) are read")
    }
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      while initialized < size {
        let rest = UnsafeMutableRawPointer(buffer.baseAddress! + initialized)
        let count = systemRead(descriptor, rest, size - initialized)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else {
          throw FileFailure(.io, path: path, reason: "cannot be read (\(errorText(errno)))")
        }
        if count == 0 { break }
        initialized += count
      }
    }
  }

  /// The first bytes of a file, at most `count`.
  static func prefix(path: String, count: Int) throws -> [UInt8] {
    // A pipe would keep the program waiting for somebody to write.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw FileFailure(.missing, path: path, reason: "cannot be opened (\(errorText(errno)))")
    }
    defer { close(descriptor) }
    _ = try regularSize(descriptor, path: path)
    var bytes = [UInt8](repeating: 0, count: count)
    let got = systemRead(descriptor, &bytes, count)
    guard got >= 0 else { throw FileFailure(.io, path: path, reason: "cannot be read (\(errorText(errno)))") }
    return Array(bytes.prefix(got))
  }

  private static func regularSize(_ descriptor: Int32, path: String) throws -> Int {
    guard let status = FileStatus(descriptor: descriptor) else {
      throw FileFailure(.io, path: path, reason: "cannot be examined (\(errorText(errno)))")
    }
    guard status.isFile else {
      throw FileFailure(.badData, path: path, reason: "is not a regular file")
    }
    return status.size
  }
}

private func systemRead(_ descriptor: Int32, _ pointer: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, pointer, count)
}
