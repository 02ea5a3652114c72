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
    case brokenLink
    case other
  }

  /// How deep folders may lie within each other; a link that leads back to its own folder ends there.
  static let deepest = 32

  /// The names of the folders and of the files directly inside `path`; hidden ones are left out.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `missing` when the folder cannot be opened.
  static func entries(of path: String) throws -> (folders: [String], files: [String]) {
    let all = try allEntries(of: path)
    return (all.folders, all.files)
  }

  /// The same as ``entries(of:)``, and the links that lead nowhere now and may lead somewhere later.
  static func allEntries(
    of path: String
  ) throws -> (folders: [String], files: [String], brokenLinks: [String]) {
    var brokenLinks: [String] = []
    var folders: [String] = []
    var files: [String] = []
    try visit(path) { name, kind in
      switch kind {
      case .folder: folders.append(name)
      case .file: files.append(name)
      case .brokenLink: brokenLinks.append(name)
      case .other: break
      }
      return true
    }
    return (sortedByBytes(folders), sortedByBytes(files), sortedByBytes(brokenLinks))
  }

  /// Whether a folder itself holds a file that `isWanted` accepts by name. It is read no further than that takes.
  static func holdsFile(_ path: String, isWanted: (String) -> Bool) throws -> Bool {
    var isThere = false
    try visit(path) { name, kind in
      isThere = kind == .file && isWanted(name)
      return !isThere
    }
    return isThere
  }

  /// Whether a folder or one below holds a file that `isWanted` accepts by name. No more is read than that takes.
  static func holdsFileBelow(_ path: String, isWanted: (String) -> Bool, depth: Int = 0) throws -> Bool {
    guard depth <= deepest else {
      throw FileFailure(.badData, path: path, reason: "folders lie more than \(deepest) deep (a link in a circle?)")
    }
    var (isThere, folders) = (false, [String]())
    try visit(path) { name, kind in
      if kind == .folder { folders.append(name) }
      isThere = kind == .file && isWanted(name)
      return !isThere
    }
    return try isThere
      || folders.contains { try holdsFileBelow(path + "/" + $0, isWanted: isWanted, depth: depth + 1) }
  }

  /// Calls `body` with each entry that is not hidden, until it returns false.
  private static func visit(_ path: String, _ body: (String, EntryKind) throws -> Bool) throws {
    guard let directory = opendir(path) else {
      throw FileFailure(.missing, path: path, reason: "the folder cannot be opened (\(errorText(errno)))")
    }
    defer { closedir(directory) }
    while true {
      errno = 0
      guard let entry = readdir(directory) else {
        guard errno == 0 else {
          throw FileFailure(.io, path: path, reason: "the folder cannot be read to its end (\(errorText(errno)))")
        }
        return
      }
      let (name, isUTF8) = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          (String(cString: $0), String(validatingCString: $0) != nil)
        }
      }
      if HiddenNames.contains(name) { continue }
      let type = Int32(entry.pointee.d_type)
      guard isUTF8 else {
        // Such a name could not be opened again.
        guard type == Int32(DT_DIR) || ImageFolder.isImageName(name) else { continue }
        throw FileFailure(
          .badData, path: path, reason: "holds a name that is not UTF-8 (\(ArchiveReader.shown(name))); rename it")
      }
      guard try body(name, kind(of: path + "/" + name, type: type)) else { return }
    }
  }

  /// The paths, relative to `root`, of all folders in and below it (its own is empty) and of the files that `isWanted` accepts by
  /// name.
  ///
  /// Folders come in the order of their relative paths, the files of one folder in the order of their names, as in
  /// torchvision's `ImageFolder`.
  static func filesBelow(
    _ root: String, isWanted: (String) -> Bool
  ) throws -> (folders: [String], files: [String], others: LeftOut, brokenLinks: LeftOut) {
    var (others, brokenLinks) = (LeftOut(), LeftOut())
    var found: [(folder: String, files: [String])] = []
    var pending = [(path: "", depth: 0)]
    while let (folder, depth) = pending.popLast() {
      guard depth <= deepest else {
        throw FileFailure(.badData, path: root, reason: "folders lie more than \(deepest) deep (a link in a circle?)")
      }
      let (folders, files, broken) = try allEntries(of: folder.isEmpty ? root : root + "/" + folder)
      func path(_ name: String) -> String { folder.isEmpty ? name : folder + "/" + name }
      for name in broken { brokenLinks.add(path(name)) }
      found.append(
        (
          folder,
          files.filter { name in
            if isWanted(name) { return true }
            others.add(path(name))
            return false
          }
        ))
      pending += folders.map { (folder.isEmpty ? $0 : folder + "/" + $0, depth + 1) }
    }
    found.sort { ByteOrder.precedes($0.folder, $1.folder) }
    return (
      found.map(\.folder), found.flatMap { folder, files in folder.isEmpty ? files : files.map { folder + "/" + $0 } },
      others, brokenLinks
    )
  }

  private static func sortedByBytes(_ names: [String]) -> [String] {
    names.sorted { ByteOrder.precedes($0, $1) }
  }

  // Links, and file systems that do not say what an entry is, cost one more system call.
  private static func kind(of path: String, type: Int32) -> EntryKind {
    if type == Int32(DT_REG) { return .file }
    if type == Int32(DT_DIR) { return .folder }
    guard let status = FileStatus(path: path) else { return .brokenLink }
    return status.isFile ? .file : status.isFolder ? .folder : .other
  }
}
