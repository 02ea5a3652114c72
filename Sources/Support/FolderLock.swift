import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Keeps a second process out of a folder for as long as it lives.
///
/// The system releases the lock when the process ends, however it ends, so a killed one leaves nothing to clean up. File
/// systems that know no locks are worked on without.
package final class FolderLock {
  private var descriptor: Int32

  /// Locks a folder that exists.
  ///
  /// - Parameters:
  ///   - file: A file in the folder that is locked in its place, and made where it lacks: network file systems lock no folders.
  ///     nil leaves no trace.
  ///   - work: What another process that holds it is at, as in "is at work in this run folder".
  ///   - isShared: Whether others that share may hold it at the same time; those that do not are kept out.
  /// - Throws: ``FileFailure`` of kind `cannotCreate` when another process holds it or `file` cannot be written.
  package init(_ folder: String, file: String? = nil, work: String, isShared: Bool = false) throws {
    if let file {
      descriptor = open((folder as NSString).appendingPathComponent(file), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        let code = errno
        throw FileFailure(
          .init(creating: code), path: folder,
          reason: "nothing can be written there (\(errorText(code))); choose an output folder that you may write to")
      }
    } else {
      descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard descriptor >= 0, flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0, errno == EWOULDBLOCK else {
      return
    }
    unlock()
    throw FileFailure(
      .cannotCreate, path: folder,
      reason: "another process \(work); wait until it ends, or choose another `output`")
  }

  deinit { unlock() }

  /// Lets others in.
  package func unlock() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}
