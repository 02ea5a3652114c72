import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Keeps a second process from downloading into the same folder at the same time.
///
/// The system ends it with the process, however that ends. File systems that know no locks are worked on without.
final class FolderReservation {
  private var descriptor: Int32

  /// - Throws: ``Support/FileFailure`` of kind `cannotCreate` when another process is at work there.
  init(_ folder: String) throws {
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
    end()
    throw FileFailure(
      .cannotCreate, path: folder,
      reason: "another process downloads into this folder; wait until it ends, or choose another `output`")
  }

  deinit { end() }

  func end() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}
