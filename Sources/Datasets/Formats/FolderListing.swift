import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Lists folders in an order that does not depend on the file system or the locale: by the bytes of the names.
enum FolderListing {
  private enum EntryKind {
    case file
    case folder
    case other
  }

  /// How deep folders may lie within each other; a link that leads back to its own folder ends there.
  private static let deepest = 32

  /// The names of the folders and of the files directly inside `path`; hidden ones are left out.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `missing` when the folder cannot be opened.
  static func entries(of path: String) throws -> (folders: [String], files: [String]) {
    guard let directory = opendir(path) else {
      throw FileFailure(.missing, path: path, reason: "the folder cannot be opened (\(errorText(errno)))")
    }
    defer { closedir(directory) }
    var folders: [String] = []
    var files: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(".") { continue }
      switch kind(of: path + "/" + name, type: Int32(entry.pointee.d_type)) {
      case .folder: folders.append(name)
      case .file: files.append(name)
      case .other: break
      }
    }
    return (sortedByBytes(folders), sortedByBytes(files))
  }

  /// The paths, relative to `root`, of all folders in and below it (its own is empty) and of the files that `isWanted` accepts by
  /// name.
  ///
  /// Folders come in the order of their relative paths, the files of one folder in the order of their names, as in
  /// torchvision's `ImageFolder`.
  static func filesBelow(
    _ root: String, isWanted: (String) -> Bool
  ) throws -> (folders: [String], files: [String]) {
    var found: [(folder: String, files: [String])] = []
    var pending = [(path: "", depth: 0)]
    while let (folder, depth) = pending.popLast() {
      guard depth <= deepest else {
        throw FileFailure(.badData, path: root, reason: "folders lie more than \(deepest) deep (a link in a circle?)")
      }
      let (folders, files) = try entries(of: folder.isEmpty ? root : root + "/" + folder)
      found.append((folder, files.filter(isWanted)))
      pending += folders.map { (folder.isEmpty ? $0 : folder + "/" + $0, depth + 1) }
    }
    found.sort { ByteOrder.precedes($0.folder, $1.folder) }
    return (
      found.map(\.folder), found.flatMap { folder, files in folder.isEmpty ? files : files.map { folder + "/" + $0 } }
    )
  }

  private static func sortedByBytes(_ names: [String]) -> [String] {
    names.sorted { ByteOrder.precedes($0, $1) }
  }

  // Links, and file systems that do not say what an entry is, cost one more system call.
  private static func kind(of path: String, type: Int32) -> EntryKind {
    if type == Int32(DT_REG) { return .file }
    if type == Int32(DT_DIR) { return .folder }
    var status = stat()
    guard stat(path, &status) == 0 else { return .other }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .folder
    default: return .other
    }
  }
}
