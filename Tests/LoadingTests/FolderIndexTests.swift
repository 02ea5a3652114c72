import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Kept listings of large folders")
struct FolderIndexTests {
  private func make(_ root: String, files: Int) throws {
    for name in ["a", "b/inner"] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
      for number in 0..<files / 2 {
        try write([], to: "\(root)/\(name)/\(number)\(number % 100 == 7 ? ".bmp" : ".jpg")")
      }
    }
    try age(root)
  }

  // As if everything had been there for an hour: a listing of folders that changed just now is not trusted.
  private func age(_ root: String) throws {
    for folder in ["", "/a", "/b", "/b/inner"] {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -3600)], ofItemAtPath: root + folder)
    }
  }

  private func expectEqual(_ a: FolderIndex, _ b: FolderIndex) {
    #expect(a.classes == b.classes && a.files == b.files && a.oddlyNamed == b.oddlyNamed && a.folders == b.folders)
  }

  @Test("are what listing gives, until a folder changes; damaged ones are not used")
  func kept() throws {
    try withTemporaryFolder { folder in
      let (root, cache) = (folder + "/images", folder + "/cache")
      try make(root, files: FolderIndexCache.fewest)
      // The files were made just now; in life such a listing is not trusted.
      var kept = FolderIndexCache(folder: cache, root: root)
      kept.coarseSeconds = -60
      #expect(kept.load() == nil)
      let listed = try FolderIndex.open(root, cache: kept)
      #expect(listed.files.count == FolderIndexCache.fewest && listed.oddlyNamed.count == 100)
      expectEqual(try #require(kept.load()), listed)
      expectEqual(try FolderIndex.open(root, cache: kept), listed)
      #expect(FolderIndexCache(folder: cache, root: folder).load() == nil)
      #expect(FolderIndexCache(folder: cache, root: root).load() == nil)

      let name = try #require(try FileManager.default.contentsOfDirectory(atPath: cache).first)
      let bytes = try FileBytes.read(path: cache + "/" + name, limit: 1 << 24)
      var generator = SeededGenerator(seed: 2)
      for _ in 0..<100 {
        var damaged = bytes
        damaged[generator.nextInt(below: bytes.count)] ^= 0x10
        try write(damaged, to: cache + "/" + name)
        #expect(kept.load() == nil)
      }
      for length in [0, 7, 16, 40, bytes.count - 1] {
        try write(Array(bytes.prefix(length)), to: cache + "/" + name)
        #expect(kept.load() == nil)
      }

      try write(bytes, to: cache + "/" + name)
      expectEqual(try #require(kept.load()), listed)
      try FileManager.default.removeItem(atPath: root + "/b/inner/3.jpg")
      #expect(kept.load() == nil)
      #expect(try FolderIndex.open(root, cache: kept).files.count == FolderIndexCache.fewest - 1)
      // A folder whose time is set back has changed all the same.
      try write([], to: root + "/b/inner/3.jpg")
      try age(root)
      #expect(kept.load() == nil)
      _ = try FolderIndex.open(root, cache: kept)
      #expect(kept.load() != nil)
      // A link to nowhere may lead somewhere tomorrow.
      try FileManager.default.createSymbolicLink(atPath: root + "/a/link.jpg", withDestinationPath: folder + "/none")
      _ = try FolderIndex.open(root, cache: kept)
      #expect(kept.load() == nil)
      try FileManager.default.removeItem(atPath: root + "/a/link.jpg")
      try FileManager.default.createSymbolicLink(atPath: root + "/later", withDestinationPath: folder + "/none")
      _ = try FolderIndex.open(root, cache: kept)
      #expect(kept.load() == nil)
    }
  }

  @Test("are neither kept nor trusted when a folder changed a moment ago")
  func recent() throws {
    try withTemporaryFolder { folder in
      let (root, cache) = (folder + "/images", folder + "/cache")
      try make(root, files: FolderIndexCache.fewest)
      try write([], to: root + "/a/new.jpg")
      let kept = FolderIndexCache(folder: cache, root: root)
      #expect(try FolderIndex.open(root, cache: kept).files.count == FolderIndexCache.fewest + 1)
      #expect(FolderIndexCache(folder: cache, root: root).load() == nil)
    }
  }

  @Test("are not made of small folders, nor needed where they cannot be written")
  func small() throws {
    try withTemporaryFolder { folder in
      try make(folder + "/images", files: 20)
      #expect(
        try FolderIndex.open(
          folder + "/images", cache: FolderIndexCache(folder: folder + "/cache", root: folder + "/images")
        ).files.count == 20)
      #expect(!FileManager.default.fileExists(atPath: folder + "/cache"))
      try make(folder + "/many", files: FolderIndexCache.fewest)
      #expect(
        try FolderIndex.open(
          folder + "/many", cache: FolderIndexCache(folder: "/proc/nowhere", root: folder + "/many")
        ).files.count
          == FolderIndexCache.fewest)
    }
  }
}
