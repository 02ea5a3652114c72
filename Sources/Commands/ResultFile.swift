import Foundation
import Support

/// A file that a command writes its result into.
package enum ResultFile {
  /// Refuses a file that is there already, and a place that cannot be written to, before the work.
  ///
  /// - Throws: `FileFailure` (73).
  package static func require(_ path: String, overwrite: Bool) throws {
    guard overwrite || !FileManager.default.fileExists(atPath: path) else {
      throw FileFailure(.cannotCreate, path: path, reason: "exists already; choose another name, or give --overwrite")
    }
    try AtomicFile.requireWritable(path)
  }
}
