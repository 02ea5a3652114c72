import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// A file that is read in parts, by several threads, for as long as the value lives.
///
/// Nothing is mapped into memory: touching a page of a file that another program has cut ends the process, and no check before it
/// closes the gap. A part is copied, and a file that has changed since it was opened is an error with its name.
public final class RandomAccessFile: Sendable {
  /// What messages call it.
  public let path: String
  /// Its bytes.
  public let count: Int

  private let descriptor: Int32
  private let modified: (Int, Int)

  /// Opens the file at `path`.
  ///
  /// - Throws: ``FileFailure``: `missing` when it cannot be opened, `badData` when it is no file.
  public convenience init(path: String) throws {
    let (descriptor, code) = Self.open(path)
    guard descriptor >= 0 else { throw Self.missing(path, code) }
    try self.init(owning: descriptor, path: path)
  }

  /// Takes an open file, which must not be closed afterwards.
  ///
  /// - Parameter path: Names the file in messages.
  public init(owning descriptor: Int32, path: String) throws {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw FileFailure(.io, path: path, reason: "cannot be examined (\(errorText(code)))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw FileFailure(.badData, path: path, reason: "is not a file but a folder or a device")
    }
    self.path = path
    self.descriptor = descriptor
    count = Int(status.st_size)
    modified = (Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec))
  }

  deinit { close(descriptor) }

  /// Calls `body` with a copy of some of the bytes, which is valid inside of it alone.
  ///
  /// - Throws: ``FileFailure`` of kind `io` when the file has been changed since it was opened, or reading fails.
  public func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard range.lowerBound >= 0, range.upperBound <= count else {
      throw FileFailure(
        .badData, path: path, reason: "ends after \(count) bytes, and byte \(range.upperBound) is wanted")
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(range.count, 1), alignment: 16)
    defer { buffer.deallocate() }
    try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<range.count]), at: range.lowerBound)
    return try body(UnsafeRawBufferPointer(rebasing: buffer[..<range.count]))
  }

  /// Some of the bytes.
  ///
  /// - Throws: As ``withBytes(_:_:)``.
  public func bytes(_ range: Range<Int>) throws -> [UInt8] { try withBytes(range) { Array($0) } }

  private func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < buffer.count {
      let got = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw FileFailure(.io, path: path, reason: "cannot be read (\(errorText(errno)))") }
      guard got > 0 else { throw changed() }
      done += got
    }
    // Afterwards: what was read before a change is what it was.
    var status = stat()
    guard fstat(descriptor, &status) == 0, Int(status.st_size) == count,
      (Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec)) == modified
    else { throw changed() }
  }

  private func changed() -> FileFailure {
    FileFailure(
      .io, path: path,
      reason: "has been changed while it was in use, by another program; when that is done, run the same command again")
  }

  private static func missing(_ path: String, _ code: Int32) -> FileFailure {
    FileFailure(
      .missing, path: path, reason: code == ENOENT ? "there is no such file" : "cannot be opened (\(errorText(code)))")
  }

  // A data set may have more shards than a process may have open files by default.
  private static func open(_ path: String) -> (descriptor: Int32, code: Int32) {
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK
    let descriptor = Glibc.open(path, flags)
    guard descriptor < 0 else { return (descriptor, 0) }
    let code = errno
    var limit = rlimit()
    guard code == EMFILE, getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < limit.rlim_max
    else { return (-1, code) }
    limit.rlim_cur = limit.rlim_max
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return (-1, code) }
    return (Glibc.open(path, flags), errno)
  }
}
