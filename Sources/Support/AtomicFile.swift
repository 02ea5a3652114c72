import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Writes files whole or not at all: to a temporary name in the same folder, flushed to disk, then renamed.
///
/// A reader never sees half a file, and a failed write (a full disk) leaves the former content in place.
public enum AtomicFile {
  /// Replaces the file at `path` by `data`.
  ///
  /// - Throws: ``FileFailure`` of kind `cannotCreate` when the temporary file cannot be made, `io` when writing fails.
  public static func write(_ data: Data, to path: String) throws {
    try write(to: path) { handle in try handle.write(data) }
  }

  /// Replaces the file at `path` by the UTF-8 bytes of `text`.
  public static func write(_ text: String, to path: String) throws {
    try write(Data(text.utf8), to: path)
  }

  /// Replaces the file at `path` by what `body` writes, so that large content needs no second copy in memory.
  ///
  /// A symbolic link is followed, so that the link stays one. Devices and pipes are refused: renaming would replace them.
  public static func write(to path: String, _ body: (inout Writer) throws -> Void) throws {
    let target = try replaceable(path)
    let temporary = temporary(for: target)
    let descriptor = try create(temporary, for: path)
    var writer = Writer(descriptor: descriptor, path: path)
    do {
      try body(&writer)
      guard fsync(descriptor) == 0 else { throw writer.failure(errno) }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    // A failed `close` has released the descriptor all the same; closing it again could hit another thread's file.
    guard close(descriptor) == 0 else {
      let code = errno
      unlink(temporary)
      throw writer.failure(code)
    }
    guard rename(temporary, target) == 0 else {
      let code = errno
      unlink(temporary)
      throw FileFailure(.cannotCreate, path: path, reason: "cannot be replaced (\(errorText(code)))")
    }
    synchronize(folder: Path.folder(of: target))
  }

  /// Finds out that a file can be written later, before hours of work for it.
  ///
  /// - Throws: ``FileFailure`` of kind `cannotCreate`, as ``write(to:_:)`` would in the end.
  public static func requireWritable(_ path: String) throws {
    let temporary = try temporary(for: replaceable(path))
    close(try create(temporary, for: path))
    unlink(temporary)
  }

  private static func temporary(for target: String) -> String {
    target + ".tmp-\(getpid())-" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
  }

  private static func create(_ temporary: String, for path: String) throws -> Int32 {
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let code = errno
      throw FileFailure(
        .init(creating: code), path: path,
        reason: "cannot be created (\(errorText(code))); choose an output folder that you may write to")
    }
    return descriptor
  }

  /// The receiving end of an atomic write.
  public struct Writer {
    let descriptor: Int32
    let path: String
    /// The bytes written so far.
    public private(set) var count = 0

    init(descriptor: Int32, path: String) {
      self.descriptor = descriptor
      self.path = path
    }

    /// Appends the bytes of `data`.
    public mutating func write(_ data: Data) throws {
      try data.withUnsafeBytes { try write($0) }
    }

    /// Appends raw bytes.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
      try put(bytes, at: count)
      count += bytes.count
    }

    /// Appends zeros up to a place behind what was written.
    public mutating func skip(to place: Int) throws {
      guard place > count else { return }
      let zeros = [UInt8](repeating: 0, count: min(place - count, 1 << 16))
      while count < place {
        let step = min(zeros.count, place - count)
        try zeros.withUnsafeBytes { try write(UnsafeRawBufferPointer(rebasing: $0[0..<step])) }
      }
    }

    /// Replaces bytes that were written before, for what is known only at the end.
    public func overwrite(_ bytes: UnsafeRawBufferPointer, at place: Int) throws {
      precondition(place >= 0 && place + bytes.count <= count, "only what was written can be replaced")
      try put(bytes, at: place)
    }

    private func put(_ bytes: UnsafeRawBufferPointer, at place: Int) throws {
      var offset = 0
      while offset < bytes.count {
        let written = pwrite(descriptor, bytes.baseAddress! + offset, bytes.count - offset, off_t(place + offset))
        if written < 0 {
          if errno == EINTR { continue }
          throw failure(errno)
        }
        offset += written
      }
    }

    func failure(_ code: Int32) -> FileFailure {
      FileFailure(
        .io, path: path,
        reason: "writing failed (\(errorText(code))); what such a file held before is unchanged. "
          + "Free some space or choose another output folder, then run the same command again")
    }
  }

  /// Creates a folder and its parents.
  ///
  /// - Throws: ``FileFailure`` of kind `cannotCreate`.
  public static func createFolder(_ path: String) throws {
    func failure(_ why: String, _ code: Int32 = 0) -> FileFailure {
      FileFailure(
        .init(creating: code), path: path.isEmpty ? "\"\"" : path,
        reason: "the folder cannot be created (\(why)); choose an output folder that you may write to")
    }
    guard !path.isEmpty else { throw failure("it has no name") }
    var place = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      place += place.isEmpty || place == "/" ? String(part) : "/\(part)"
      if isFolder(place) || mkdir(place, 0o777) == 0 { continue }
      let code = errno
      // Another process may have made it just now.
      if isFolder(place) { continue }
      throw failure(code == EEXIST ? "\(place) is a file" : errorText(code), code)
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  // The path with symbolic links followed, when something that may be replaced stands there; else the path as it is.
  private static func replaceable(_ path: String) throws -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return path }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileFailure(
        .cannotCreate, path: path, reason: "is not a file but a folder, a device or a pipe; choose another name")
    }
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Makes the names in a folder durable: a rename is so only once the folder that holds the name has reached the disk.
  package static func synchronize(folder: String) {
    let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}

/// The system's words for an `errno` value.
public func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
