import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Keeps a second process out of a run folder for as long as it lives.
///
/// The system releases the lock when the process ends, however it ends, so a killed run leaves nothing to clean up. File
/// systems that know no locks are worked on without.
public final class FolderLock {
  private let descriptor: Int32

  /// The lock's file in a run folder.
  static let fileName = ".lock"

  /// Locks a folder that exists.
  ///
  /// - Throws: ``FileFailure`` of kind `cannotCreate` when another process holds it or nothing can be written there.
  public init(_ folder: RunFolder) throws {
    let path = folder.file(Self.fileName)
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let code = errno
      throw FileFailure(
        .init(creating: code), path: folder.path,
        reason: "nothing can be written there (\(errorText(code))); choose an output folder that you may write to")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
    close(descriptor)
    throw FileFailure(
      .cannotCreate, path: folder.path,
      reason: "another process is at work in this run folder; wait until it ends, or choose another `output`")
  }

  deinit { close(descriptor) }
}
