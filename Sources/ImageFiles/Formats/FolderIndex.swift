/// The images of a folder of class folders, by name.
struct FolderIndex: Sendable {
  /// A class folder.
  struct Class: Hashable, Sendable {
    var name: String
    /// The number of its images.
    var count: Int
  }

  /// The class folders in the order of their bytes.
  var classes: [Class] = []
  /// The images of all classes, paths relative to the folder of their class, in the order in which they are visited.
  var files = FileNames()
  /// Images that are neither JPEG nor PNG by their names.
  var oddlyNamed: [Int] = []
  /// All folders below the root, the root among them.
  var folders: [String] = []
  /// Files in class folders that are no images by their names.
  var others = LeftOut()
  /// Links that lead nowhere now: where they will lead, no folder's time tells.
  var brokenLinks = LeftOut()

  /// Lists a folder, or takes the listing of an earlier run when no folder has changed since.
  ///
  /// - Throws: ``Support/FileFailure`` when a folder cannot be read.
  static func open(_ root: String, cache: FolderIndexCache?) throws -> FolderIndex {
    guard let cache else { return try list(root) }
    if let known = cache.load() { return known }
    let stamp = FolderIndexCache.now()
    let listed = try list(root)
    if listed.brokenLinks.count == 0 { cache.save(listed, listedAt: stamp) }
    return listed
  }

  private static func list(_ root: String) throws -> FolderIndex {
    var index = FolderIndex()
    index.folders.append("")
    let top = try FolderListing.allEntries(of: root)
    for name in top.brokenLinks { index.brokenLinks.add(name) }
    for name in top.folders {
      let found = try FolderListing.filesBelow(root + "/" + name, isWanted: ImageFolder.isImageName)
      index.others.add(found.others.below(name))
      index.brokenLinks.add(found.brokenLinks.below(name))
      index.classes.append(Class(name: name, count: found.files.count))
      index.folders += found.folders.map { $0.isEmpty ? name : name + "/" + $0 }
      for file in found.files {
        if !ImageFolder.isDecodableName(file) { index.oddlyNamed.append(index.files.count) }
        index.files.append(file)
      }
    }
    return index
  }
}
