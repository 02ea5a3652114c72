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
  /// - Throws: ``FileFailure`` of kind `cannotCreate` when another process holds it or `file` cannot be written.
  package init(_ folder: String, file: String? = nil, work: String) throws {
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
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
    unlock()
    throw FileFailure(
      .cannotCreate, path: folder,
      reason: "another process \(work); wait until it ends, or choose another `output`")
  }

  /// Locks a folder as soon as no other process holds it.
  ///
  /// - Parameters:
  ///   - folder: A folder that exists.
  ///   - file: A file in it that is locked in its place, and made where it lacks.
  ///   - cancellation: What may end the wait.
  /// - Throws: ``FileFailure`` when `file` cannot be written, ``Interrupted`` when the wait is ended.
  package init(waitingFor folder: String, file: String, _ cancellation: Cancellation) throws {
    let path = (folder as NSString).appendingPathComponent(file)
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let code = errno
      throw FileFailure(.init(creating: code), path: path, reason: "cannot be written (\(errorText(code)))")
    }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR {
      if let signal = cancellation.signal {
        unlock()
        throw Interrupted(signal: signal, saved: nil)
      }
      poll(nil, 0, 50)
    }
  }

  deinit { unlock() }

  /// Lets others in.
  package func unlock() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}
