import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Unpacking what was downloaded")
struct DownloadUnpackingTests {
  private typealias Members = [(name: String, kind: TarWriter.Kind)]

  private let sound: Members = [
    ("tiny/", .folder), ("tiny/words.txt", .file([1, 2, 3])), ("tiny/train/", .folder),
    ("tiny/train/a/images/0.JPEG", .file([UInt8](repeating: 5, count: 5000))), ("tiny/empty", .file([])),
  ]

  private func zip(_ members: Members, _ path: String) throws -> [UInt8] {
    try TarWriter.write(members, to: path, zip: true)
    return try #require(content(path))
  }

  private func download(_ bytes: [UInt8], _ folder: String, keepsArchive: Bool = false) -> DatasetDownload {
    let file = RemoteFile(
      name: "tiny.zip", homes: ["http://a.example/tiny.zip"], bytes: bytes.count, sha256: sha256(bytes))
    return DatasetDownload(
      dataset: "tiny", folder: folder, files: [file], unpackedFolder: "tiny", keepsArchive: keepsArchive
    ).using(FakeTransport(.file(bytes)))
  }

  @Test("brings the folder of the archive, then takes the archive away")
  func unpacks() throws {
    try withTemporaryFolder { folder in
      let bytes = try zip(sound, folder + "/made.zip")
      let place = folder + "/data"
      try download(bytes, place).expect(.downloaded)
      #expect(names(place) == ["tiny"])
      #expect(names(place + "/tiny") == ["empty", "train", "words.txt"])
      #expect(content(place + "/tiny/words.txt") == [1, 2, 3])
      #expect(content(place + "/tiny/train/a/images/0.JPEG")?.count == 5000)
      // It is known by its folder.
      try download(bytes, place).using(FakeTransport()).expect(.present)
    }
  }

  @Test("takes an archive that was put there by hand, and keeps it when asked to")
  func byHand() throws {
    try withTemporaryFolder { folder in
      let bytes = try zip(sound, folder + "/tiny.zip")
      try write([9], to: folder + "/.tiny.unpacking/tiny/left-by-a-killed-run")
      try download(bytes, folder, keepsArchive: true).expect(.present)
      #expect(names(folder) == ["tiny", "tiny.zip"])
      #expect(names(folder + "/tiny") == ["empty", "train", "words.txt"])
    }
  }

  @Test("refuses archives that lead elsewhere, hold links, repeat themselves or are damaged; nothing is left of them")
  func hostile() throws {
    let cases: [(Members, String)] = [
      ([("tiny/a", .file([1])), ("../b", .file([2]))], "leads out of the archive"),
      ([("tiny/../../b", .file([2]))], "leads out of the archive"),
      ([("tiny/a", .symbolicLink("/etc"))], "is a symbolic link"),
      ([("tiny/a", .file([1])), ("other/b", .file([2]))], "does not lie in tiny/"),
      ([("tiny", .file([1]))], "does not lie in tiny/"),
      ([("tiny/a", .file([1])), ("tiny/a", .file([2]))], "twice"),
      ([("tiny/", .folder)], "holds no folder tiny"),
    ]
    for (members, words) in cases {
      try withTemporaryFolder { folder in
        let bytes = try zip(members, folder + "/tiny.zip")
        expectExit(.badData, words) { try download(bytes, folder).run() }
        #expect(names(folder) == ["tiny.zip"])
      }
    }
    try withTemporaryFolder { folder in
      var random = SystemRandomNumberGenerator()
      let noise = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
      var bytes = try zip([("tiny/noise", .file(noise))], folder + "/tiny.zip")
      bytes[bytes.count / 2] ^= 0xff
      try write(bytes, to: folder + "/tiny.zip")
      expectExit(.badData, "tiny.zip") { try download(bytes, folder).run() }
      try write([1, 2, 3], to: folder + "/tiny.zip")
      expectExit(.badData, "no zip archive") { try download([1, 2, 3], folder).run() }
      #expect(names(folder) == ["tiny.zip"])
    }
  }

  @Test("stops at a bomb and at a signal")
  func stops() throws {
    try withTemporaryFolder { folder in
      _ = try zip([("tiny/a", .file([UInt8](repeating: 0, count: 1 << 20)))], folder + "/tiny.zip")
      let small = ArchiveLimits(expansion: 2, smallExpansion: 1000)
      let path = folder + "/tiny.zip"
      expectExit(.badData, "bomb") {
        try ArchiveUnpacking(path: path, folder: folder, content: "tiny", limits: small).run { _ in }
      }
      let few = ArchiveLimits(members: 0)
      expectExit(.badData, "more than 0 members") {
        try ArchiveUnpacking(path: path, folder: folder, content: "tiny", limits: few).run { _ in }
      }
      let bytes = try #require(content(path))
      var checks = 0
      let stopped = download(bytes, folder).using(FakeTransport()) {
        checks += 1
        return checks > 1 ? SIGINT : nil
      }
      expectExit(.interrupted, "\(path) is complete and kept", "again") { try stopped.run() }
      #expect(names(folder) == ["tiny.zip"])
    }
  }
}
