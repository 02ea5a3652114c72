import Foundation

/// A file mapped into memory for reading, for as long as the value lives.
///
/// Writers in this project replace files by renaming, so a mapped file does not change under its reader.
public final class MappedFile: @unchecked Sendable {
  // Immutable after `init` and read-only memory: safe to share between threads.
  /// The content; not to be used after the last reference to this object is gone.
  public let bytes: UnsafeRawBufferPointer

  private let path: String
  // Which file it is: not another that has taken its name since. Without a descriptor, of which a process has few.
  private let device: UInt64
  private let node: UInt64

  /// Throws when the file has become shorter since it was mapped: touching what is gone would end the process.
  ///
  /// - Throws: ``FileFailure`` of kind `io`.
  public func requireWhole() throws {
    var status = stat()
    guard stat(path, &status) == 0, UInt64(status.st_dev) == device, UInt64(status.st_ino) == node,
      Int(status.st_size) < bytes.count
    else { return }
    throw FileFailure(.io, path: path, reason: "has been changed while it was in use; start again")
  }

  /// Maps the file at `path`.
  ///
  /// - Throws: ``FileFailure``: `missing` when it cannot be opened, `badData` when it is no file, `io` when it cannot be mapped.
  public convenience init(path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno
      let reason = code == ENOENT ? "there is no such file" : "cannot be opened (\(errorText(code)))"
      throw FileFailure(.missing, path: path, reason: reason)
    }
    defer { close(descriptor) }
    try self.init(descriptor: descriptor, path: path)
  }

  /// Maps an open file, which may be closed afterwards.
  ///
  /// - Parameter path: Names the file in messages.
  public init(descriptor: Int32, path: String) throws {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileFailure(.io, path: path, reason: "cannot be examined (\(errorText(errno)))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileFailure(.badData, path: path, reason: "is not a file but a folder or a device")
    }
    let count = Int(status.st_size)
    self.path = path
    device = UInt64(status.st_dev)
    node = UInt64(status.st_ino)
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw FileFailure(.io, path: path, reason: "cannot be read (\(errorText(errno)))")
    }
    bytes = UnsafeRawBufferPointer(start: address, count: count)
  }

  deinit {
    if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
  }
}
