import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Reads files through without keeping them in memory.
enum FileChecksum {
  /// The SHA-256 of the file at `path`.
  ///
  /// - Parameter check: Called between pieces; what it throws ends the reading.
  static func sha256(path: String, check: () throws -> Void) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw FileFailure(.io, path: path, reason: "cannot be read (\(errorText(errno)))")
    }
    defer { close(descriptor) }
    let digest = try SHA256Digest()
    try read(descriptor, path: path) { bytes in
      digest.update(bytes)
      try check()
    }
    return digest.finish()
  }

  /// Passes all bytes of a file on, from its beginning; the descriptor then stands at its end.
  static func read(_ descriptor: Int32, path: String, _ consume: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw FileFailure(.io, path: path, reason: "cannot be read (\(errorText(errno)))")
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count == 0 { return }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileFailure(.io, path: path, reason: "cannot be read (\(errorText(errno)))")
      }
      try consume(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer).prefix(count)))
    }
  }
}
