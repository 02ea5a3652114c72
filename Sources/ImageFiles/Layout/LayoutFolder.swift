import Support

/// A folder as ``ImageLayout`` sees it: on disk, or in archives.
protocol LayoutFolder {
  /// Its name; empty for the place that was named.
  var name: String { get }
  /// The folders in it, in the order of their bytes.
  func folders() throws -> [Self]
  /// Whether an image lies in it, not deeper.
  func holdsImages() throws -> Bool
  /// Whether an image lies in it or anywhere below.
  func holdsImagesBelow() throws -> Bool
  /// Whether neither it nor any folder below has a file of any kind.
  func isEmpty() throws -> Bool
  /// Whether the classes of its images stand in a list, as Tiny ImageNet has them.
  func hasClassList() -> Bool
}

/// Names that are never looked at, in folders and archives alike.
enum HiddenNames {
  /// Hidden ones, and what macOS leaves in archives.
  static func contains(_ name: some StringProtocol) -> Bool { name.hasPrefix(".") || name == "__MACOSX" }

  /// Whether a file or a folder above it is hidden.
  static func hides(_ path: String) -> Bool { path.split(separator: "/").contains { contains($0) } }
}

/// A folder on disk.
struct DiskFolder: LayoutFolder {
  let path: String
  let name: String

  init(_ path: String, name: String = "") { (self.path, self.name) = (path, name) }

  func folders() throws -> [DiskFolder] {
    try FolderListing.entries(of: path).folders.map { DiskFolder(path + "/" + $0, name: $0) }
  }

  func holdsImages() throws -> Bool { try FolderListing.holdsFile(path, isWanted: ImageFolder.isImageName) }

  func holdsImagesBelow() throws -> Bool {
    try FolderListing.holdsFileBelow(path, isWanted: ImageFolder.isImageName)
  }

  func isEmpty() throws -> Bool { try !FolderListing.holdsFileBelow(path) { _ in true } }

  func hasClassList() -> Bool { TinyImageNetAnnotations.isThere(path) }
}

/// A folder in archives: what the names of their members say, of all shards together.
final class ArchiveFolder: LayoutFolder {
  let name: String
  private var children: [ByteName: ArchiveFolder] = [:]
  private var images = 0
  private var imagesBelow = 0
  private var filesBelow = 0

  private init(name: String) { self.name = name }

  /// - Parameter isSample: Whether a member is an image, or whatever else makes a sample, by its name.
  convenience init(_ shards: [ArchiveShard], isSample: (String) -> Bool) {
    self.init(name: "")
    for shard in shards {
      for folder in shard.folders where !HiddenNames.hides(folder) { _ = place(folder.split(separator: "/")[...]) }
      for member in shard.members where !HiddenNames.hides(member.name) {
        let parts = member.name.split(separator: "/")
        let way = place(parts.dropLast())
        for folder in way { folder.filesBelow += 1 }
        guard isSample(member.name) else { continue }
        for folder in way { folder.imagesBelow += 1 }
        way.last?.images += 1
      }
    }
  }

  /// The folders on the way to a path, made where they lack.
  private func place(_ parts: ArraySlice<Substring>) -> [ArchiveFolder] {
    var (way, here) = ([self], self)
    for part in parts {
      let key = ByteName(String(part))
      let next = here.children[key] ?? ArchiveFolder(name: key.text)
      here.children[key] = next
      way.append(next)
      here = next
    }
    return way
  }

  func folders() -> [ArchiveFolder] { children.values.sorted { ByteOrder.precedes($0.name, $1.name) } }
  func holdsImages() -> Bool { images > 0 }
  func holdsImagesBelow() -> Bool { imagesBelow > 0 }
  func isEmpty() -> Bool { filesBelow == 0 }
  func hasClassList() -> Bool { false }
}
