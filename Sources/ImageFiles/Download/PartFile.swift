import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// A file that is on its way: its bytes so far, on disk under a name of their own, and their checksum.
final class PartFile {
  let path: String
  /// The bytes that are there.
  private(set) var count = 0
  /// The bytes that an earlier run left and that were not fetched anew.
  private(set) var kept = 0
  private let digest: SHA256Digest
  private let descriptor: Int32

  /// Opens the file, or creates it.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `cannotCreate`, also when something else than a file is in its place.
  init(path: String) throws {
    self.path = path
    digest = try SHA256Digest()
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
    guard descriptor >= 0 else {
      let code = errno
      throw FileFailure(
        .init(creating: code), path: path,
        reason: "cannot be created (\(errorText(code))); choose a folder that you may write to with `output`")
    }
    guard FileStatus(descriptor: descriptor)?.isFile == true else {
      throw FileFailure(.cannotCreate, path: path, reason: "is not a file but something else; move it away")
    }
  }

  deinit { close(descriptor) }

  /// Takes what an earlier run left, unless that is more than `limit` bytes.
  func readWhatIsThere(limit: Int, check: () throws -> Void) throws {
    let end = lseek(descriptor, 0, SEEK_END)
    guard end <= limit else { return try restart() }
    try FileChecksum.read(descriptor, path: path) { bytes in
      digest.update(bytes)
      count += bytes.count
      try check()
    }
    kept = count
  }

  /// Begins anew.
  func restart() throws {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw failure(errno) }
    digest.restart()
    (count, kept) = (0, 0)
  }

  /// Adds bytes at the end.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    let code = writeAll(bytes, to: descriptor)
    guard code == 0 else { throw failure(code) }
    digest.update(bytes)
    count += bytes.count
  }

  /// The checksum of what is there.
  func checksum() -> String { digest.finish() }

  /// Brings the bytes to disk and gives the file its name.
  func commit(to target: String) throws {
    guard fsync(descriptor) == 0 else { throw failure(errno) }
    guard rename(path, target) == 0 else {
      throw FileFailure(.cannotCreate, path: target, reason: "cannot be created (\(errorText(errno)))")
    }
    AtomicFile.synchronize(folder: Path.folder(of: target))
  }

  /// Takes the file away.
  func delete() { unlink(path) }

  private func failure(_ code: Int32) -> FileFailure {
    FileFailure(
      .io, path: path,
      reason: "writing failed (\(errorText(code))); \(count) bytes are kept. "
        + "Free some space, then run the same command again to go on from there")
  }
}
