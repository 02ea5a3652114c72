import Foundation

/// What the system says of a file, in one place: the headers of a C library may claim `struct stat` for their own module.
package struct FileStatus: Sendable {
  /// Whether it is an ordinary file.
  package let isFile: Bool
  /// Whether it is a folder.
  package let isFolder: Bool
  /// Its bytes.
  package let size: Int

  /// When its content changed, in seconds and nanoseconds; programs can set this back.
  package let modified: [Int]
  /// When its content or its status changed, in seconds and nanoseconds.
  package let changed: [Int]
  /// Its number in the file system.
  package let inode: Int

  /// The status of what `path` leads to, or nil when there is none (`errno` says why).
  package init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// The status of an open file.
  package init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    isFile = status.st_mode & S_IFMT == S_IFREG
    isFolder = status.st_mode & S_IFMT == S_IFDIR
    size = Int(status.st_size)
    modified = [Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec)]
    changed = [Int(status.st_ctim.tv_sec), Int(status.st_ctim.tv_nsec)]
    inode = Int(truncatingIfNeeded: status.st_ino)
  }
}
