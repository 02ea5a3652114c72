import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("A download")
struct DownloadTests {
  private let published = Publication()
  private let lone = Publication(homes: ["https://a.example/x.bin"])

  @Test("fetches, checks and names a file, and says so")
  func fresh() throws {
    try withTemporaryFolder { folder in
      let transport = FakeTransport(.file(published.bytes))
      var events: [DownloadEvent] = []
      let report = try published.download(folder + "/new", transport).run { events.append($0) }
      #expect(report.files.map(\.state) == [.downloaded] && report.dataset == "known")
      #expect(report.files[0].sha256 == published.file.sha256 && report.files[0].bytes == 1000)
      #expect(content(folder + "/new/x.bin") == published.bytes)
      #expect(content(folder + "/new/x.bin.part") == nil)
      #expect(transport.requests == [.init(address: "https://a.example/x.bin", offset: 0)])
      #expect(events.first == .started(file: "x.bin", address: "https://a.example/x.bin", kept: 0, bytes: 1000))
      #expect(events.last == .progress(file: "x.bin", done: 1000, bytes: 1000))
    }
  }

  @Test("leaves a file alone that is there, and asks nobody")
  func present() throws {
    try withTemporaryFolder { folder in
      try write(published.bytes, to: folder + "/x.bin")
      let transport = FakeTransport()
      try published.download(folder, transport).expect(.present)
      #expect(transport.requests.isEmpty)
      // Another file of that name is the user's: it is neither taken nor replaced.
      for other in [[UInt8](published.bytes.dropLast()), [UInt8](repeating: 7, count: 1000)] {
        try write(other, to: folder + "/x.bin")
        expectExit(.badData, folder + "/x.bin", "move it away") { try published.download(folder, transport).run() }
        #expect(content(folder + "/x.bin") == other)
      }
    }
  }

  @Test("keeps what came before the connection broke, and goes on from there")
  func resumed() throws {
    try withTemporaryFolder { folder in
      let first = FakeTransport(.file(published.bytes, cut: 350), .init(failure: .unreachable("no route")))
      expectExit(.ioError, "a.example was lost (it broke)", "350 of 1000 bytes are kept", "Run the same command again")
      {
        try published.download(folder, first).run()
      }
      // The second home was asked for the rest.
      #expect(first.requests.map(\.offset) == [0, 350])
      #expect(content(folder + "/x.bin.part") == Array(published.bytes.prefix(350)))
      let second = FakeTransport(.file(published.bytes, from: 350))
      try published.download(folder, second).expect(.resumed)
      #expect(second.requests == [.init(address: "https://a.example/x.bin", offset: 350)])
      #expect(content(folder + "/x.bin") == published.bytes)
    }
  }

  @Test("takes a connection up again at once that brought much")
  func tenacious() throws {
    try withTemporaryFolder { folder in
      let large = Publication(5 << 20)
      let transport = FakeTransport(
        .file(large.bytes, cut: 2 << 20), .file(large.bytes, from: 2 << 20, cut: 2 << 20),
        .file(large.bytes, from: 4 << 20))
      try large.download(folder, transport).expect(.downloaded)
      #expect(transport.requests.map(\.offset) == [0, 2 << 20, 4 << 20])
      #expect(Set(transport.requests.map(\.address)).count == 1)
    }
  }

  @Test("begins anew when the server knows no ranges")
  func rangesIgnored() throws {
    try withTemporaryFolder { folder in
      try write([1, 2, 3], to: folder + "/x.bin.part")
      let transport = FakeTransport(.file(published.bytes))
      try published.download(folder, transport).expect(.downloaded)
      #expect(transport.requests.map(\.offset) == [3])
      #expect(content(folder + "/x.bin") == published.bytes)
    }
  }

  @Test("begins anew after a part that is larger than the file, and takes one that is whole")
  func oddParts() throws {
    try withTemporaryFolder { folder in
      try write([UInt8](repeating: 1, count: 1001), to: folder + "/x.bin.part")
      let transport = FakeTransport(.file(published.bytes))
      try published.download(folder, transport).expect(.downloaded)
      #expect(transport.requests.map(\.offset) == [0])
      try FileManager.default.moveItem(atPath: folder + "/x.bin", toPath: folder + "/x.bin.part")
      try published.download(folder, FakeTransport()).expect(.resumed)
      // Whole, but other bytes: deleted, so that the next run fetches the file.
      try FileManager.default.removeItem(atPath: folder + "/x.bin")
      try write([UInt8](repeating: 1, count: 1000), to: folder + "/x.bin.part")
      expectExit(.badData, "SHA-256") { try published.download(folder, FakeTransport()).run() }
      #expect(content(folder + "/x.bin.part") == nil && content(folder + "/x.bin") == nil)
    }
  }

  @Test("refuses other bytes, names both checksums and deletes them")
  func mismatch() throws {
    try withTemporaryFolder { folder in
      let other = [UInt8](repeating: 9, count: 1000)
      expectExit(.badData, folder + "/x.bin", sha256(other), published.file.sha256, "deleted") {
        try lone.download(folder, FakeTransport(.file(other))).run()
      }
      #expect(names(folder).isEmpty)
    }
  }

  @Test("stops a server that announces or sends another number of bytes")
  func otherSizes() throws {
    try withTemporaryFolder { folder in
      try write([1, 2, 3], to: folder + "/x.bin.part")
      expectExit(.badData, "has 1001 bytes, 1000 were expected") {
        try lone.download(folder, FakeTransport(.file(published.bytes + [0]))).run()
      }
      // What is there is not given up for it.
      #expect(content(folder + "/x.bin.part") == [1, 2, 3])
      try FileManager.default.removeItem(atPath: folder + "/x.bin.part")
      let endless = FakeTransport.Answer(
        head: HTTPHead(status: 200), pieces: [published.bytes, published.bytes, published.bytes])
      expectExit(.badData, "sends more than the 1000 bytes") {
        try lone.download(folder, FakeTransport(endless)).run()
      }
      #expect(content(folder + "/x.bin.part") == nil)
      // A page instead of a file, without a length.
      let page = FakeTransport.Answer(head: HTTPHead(status: 200), pieces: [Array("<html>".utf8)])
      expectExit(.badData, "6 bytes came, 1000 were expected") {
        try lone.download(folder, FakeTransport(page)).run()
      }
      #expect(content(folder + "/x.bin.part") == nil)
    }
  }

  @Test("checks what a server takes a range for")
  func wrongRanges() throws {
    try withTemporaryFolder { folder in
      for range in ["bytes 0-999/1000", "bytes 5-999/1000", "", "bytes x", "bytes -3/4", "chapters 3-4"] {
        try write([1, 2, 3], to: folder + "/x.bin.part")
        let answer = FakeTransport.Answer(head: HTTPHead(status: 206, fields: ["content-range": range]))
        expectExit(.badData, "the range \"\(range)\"") {
          try lone.download(folder, FakeTransport(answer)).run()
        }
        #expect(content(folder + "/x.bin.part") == [1, 2, 3])
      }
      let other = FakeTransport.Answer(head: HTTPHead(status: 206, fields: ["content-range": "bytes 3-9/10"]))
      expectExit(.badData, "has 10 bytes, 1000 were expected") {
        try lone.download(folder, FakeTransport(other)).run()
      }
      // Nothing beyond what is there: another file, or another server's idea of it.
      expectExit(.unavailable, "no more than the 3 bytes") {
        try lone.download(folder, FakeTransport(.status(416, ["content-range": "bytes */3"]))).run()
      }
      #expect(content(folder + "/x.bin.part") == [1, 2, 3])
    }
  }

  @Test("goes to the next home when one does not have the file, and names all that failed")
  func homes() throws {
    try withTemporaryFolder { folder in
      let transport = FakeTransport(.status(404), .file(published.bytes))
      try published.download(folder, transport).expect(.downloaded)
      #expect(transport.requests.map(\.address) == published.file.homes)
    }
    try withTemporaryFolder { folder in
      let data = folder + "/known"
      expectExit(
        .unavailable, "https://a.example/x.bin answers with HTTP status 404 (Not Found)",
        "http://b.example/x.bin answers with HTTP status 503", "into \(data)", published.file.sha256
      ) { try published.download(data, FakeTransport(.status(404), .status(503))).run() }
      // An empty folder would be taken for the data set.
      #expect(!FileManager.default.fileExists(atPath: data))
    }
  }

  @Test("says that there is no network when nobody can be reached, and what to fetch elsewhere")
  func noNetwork() throws {
    try withTemporaryFolder { folder in
      let transport = FakeTransport(
        .init(failure: .unresolved("Could not resolve host: a.example")), .init(failure: .unresolved("no such name")))
      expectExit(
        .unavailable, "known: a.example cannot be reached (Could not resolve host: a.example)",
        "there seems to be no network", "put them into \(folder)",
        "https://a.example/x.bin (sha256 \(published.file.sha256))"
      ) { try published.download(folder, transport).run() }
      // The mirror is asked, but the authors are recommended.
      let mirrored = DatasetDownload(
        dataset: "known", folder: folder, files: [published.file.mirrored(at: "http://m.example/sets")],
        unpackedFolder: nil, keepsArchive: false)
      let absent = FakeTransport(.init(failure: .unreachable("timed out")))
      expectExit(.unavailable, "m.example cannot be reached", "https://a.example/x.bin (sha256") {
        try mirrored.using(absent).run()
      }
      #expect(absent.requests.map(\.address) == ["http://m.example/sets/x.bin"])
      let insecure = FakeTransport(.init(failure: .insecure("expired")), .init(failure: .unreachable("timed out")))
      expectExit(.unavailable, "no secure connection to a.example (expired)") {
        try published.download(folder, insecure).run()
      }
      #expect(names(folder).isEmpty)
    }
  }

  @Test("follows redirections, but not from a secure connection to an open one, nor in a circle")
  func redirections() throws {
    func moved(_ place: String) -> FakeTransport.Answer { .status(302, ["location": place]) }
    try withTemporaryFolder { folder in
      let transport = FakeTransport(moved("/y/x.bin"), moved("https://c.example/x"), .file(published.bytes))
      try published.download(folder, transport).expect(.downloaded)
      #expect(
        transport.requests.map(\.address)
          == ["https://a.example/x.bin", "https://a.example/y/x.bin", "https://c.example/x"])
    }
    let secure = Publication(homes: ["https://a.example/x.bin"])
    try withTemporaryFolder { folder in
      let open = FakeTransport(moved("http://c.example/x.bin"))
      expectExit(.unavailable, "redirects to http://c.example/x.bin", "not followed") {
        try secure.download(folder, open).run()
      }
      // Nor by a detour.
      let detour = FakeTransport(
        moved("https://c.example/"), moved("HTTP://c.example/x.bin"), moved("https://c.example/x.bin"))
      expectExit(.unavailable, "redirects to HTTP://c.example/x.bin") { try secure.download(folder, detour).run() }
      for place in ["file:///etc/passwd", "ftp://c.example/x", "https://", "data:,x"] {
        expectExit(.unavailable, "not followed") { try secure.download(folder, FakeTransport(moved(place))).run() }
      }
      let circle = FakeTransport()
      circle.repeatForever(moved("https://a.example/x.bin"))
      expectExit(.unavailable, "redirects more than") { try secure.download(folder, circle).run() }
      #expect(circle.requests.count < 20)
      expectExit(.unavailable, "HTTP status 301") { try secure.download(folder, FakeTransport(.status(301))).run() }
    }
  }

  @Test("ends at a signal, keeps what is there and says how much")
  func interrupted() throws {
    try withTemporaryFolder { folder in
      var checks = 0
      let stopped = published.download(folder, FakeTransport(.file(published.bytes))) {
        checks += 1
        return checks > 3 ? SIGTERM : nil
      }
      expectExit(.terminated, "interrupted; 300 of 1000 bytes are kept in \(folder)/x.bin.part", "again") {
        try stopped.run()
      }
      let transport = FakeTransport(.file(published.bytes, from: 300))
      try published.download(folder, transport).expect(.resumed)
    }
    try withTemporaryFolder { folder in
      let stopped = published.download(folder + "/new", FakeTransport(.file(published.bytes))) { SIGINT }
      expectExit(.interrupted, "interrupted") { try stopped.run() }
      #expect(!FileManager.default.fileExists(atPath: folder + "/new"))
    }
  }

  @Test("works in a folder of its own")
  func places() throws {
    try withTemporaryFolder { folder in
      let lock = try FolderLock(folder, work: "downloads into this folder")
      expectExit(.cannotCreate, "another process") { try published.download(folder, FakeTransport()).run() }
      #expect(FileManager.default.fileExists(atPath: folder))
      lock.unlock()
      // A part that is a link would be followed out of the folder.
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/x.bin.part", withDestinationPath: folder + "/elsewhere")
      expectExit(.cannotCreate, "x.bin.part") { try published.download(folder, FakeTransport()).run() }
      #expect(content(folder + "/elsewhere") == nil)
      try write([1], to: folder + "/file")
      expectExit(.cannotCreate, folder + "/file") { try published.download(folder + "/file", FakeTransport()).run() }
    }
  }

  @Test("knows its names, its folders and its mirrors")
  func plans() throws {
    let plain = try DatasetDownload("cifar10", folder: nil, mirror: nil, environment: [:])
    #expect(plain.folder == "data/cifar10")
    let named = try DatasetDownload(
      "mnist", folder: nil, mirror: "http://127.0.0.1:8000/mirror", environment: ["WIDTH_TRANSFER_DATA": "/sets"])
    #expect(named.folder == "/sets/mnist" && named.files.count == 4)
    #expect(named.files[0].addresses == ["http://127.0.0.1:8000/mirror/train-images-idx3-ubyte.gz"])
    #expect(try DatasetDownload("mnist", folder: "here/", mirror: nil, environment: [:]).folder == "here")
    expectExit(.usage, "cifer10", "fashion-mnist, mnist", "most similar is cifar10") {
      try DatasetDownload("cifer10", folder: nil, mirror: nil, environment: [:])
    }
    for mirror in ["", "example.org/x", "ftp://example.org/", "http://", "file:///tmp", "http://a/?b=c"] {
      expectExit(.usage, "`from`") {
        try DatasetDownload("mnist", folder: nil, mirror: mirror, environment: [:])
      }
    }
    for known in KnownDataset.allCases {
      for file in known.files {
        #expect(file.sha256.count == 64 && file.sha256.allSatisfy { "0123456789abcdef".contains($0) })
        #expect(file.bytes > 0 && file.homes.allSatisfy { $0.hasSuffix("/" + file.name) && $0.hasPrefix("http") })
      }
    }
  }

  @Test("is advised where a data set is missing")
  func advice() {
    for known in KnownDataset.allCases where known != .fashionMNIST {
      expectFailure(.missing, path: known.rawValue, "width-transfer data download \(known.rawValue)") {
        try known.folder(environment: ["WIDTH_TRANSFER_DATA": "/nowhere"])
      }
    }
  }

  @Test("computes SHA-256 as the standard's examples have it")
  func checksums() throws {
    #expect(sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(sha256(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let digest = try SHA256Digest()
    for _ in 0..<1000 { [UInt8](repeating: 0x61, count: 1000).withUnsafeBytes { digest.update($0) } }
    #expect(digest.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("is complete once all bytes are there, however the connection ended", arguments: [2 << 20, 1000])
  func endsBadly(count: Int) throws {
    try withTemporaryFolder { folder in
      let published = Publication(count)
      let transport = FakeTransport(.file(published.bytes, cut: count))
      try published.download(folder, transport).expect(.downloaded)
      #expect(transport.requests.count == 1 && content(folder + "/x.bin") == published.bytes)
    }
  }

  @Test("asks the next home when one sends something else, as a network before its login does")
  func otherContent() throws {
    try withTemporaryFolder { folder in
      let page = FakeTransport.Answer.file(Array("log in".utf8))
      let transport = FakeTransport(page, .file(published.bytes))
      try published.download(folder, transport).expect(.downloaded)
      #expect(transport.requests.map(\.address) == published.file.homes)
      // As long as the file, so that it is seen only at the end.
      let wrong = FakeTransport(.file([UInt8](repeating: 1, count: 1000)), .file(published.bytes))
      try published.download(folder + "/second", wrong).expect(.downloaded)
      #expect(content(folder + "/second/x.bin") == published.bytes)
      let both = FakeTransport(page, page)
      expectExit(.badData, "6 bytes, 1000 were expected") { try published.download(folder + "/third", both).run() }
    }
  }

  @Test("keeps what is there from a server that has another file")
  func keepsThePart() throws {
    try withTemporaryFolder { folder in
      let part = Array(published.bytes.prefix(600))
      try write(part, to: folder + "/x.bin.part")
      let answers: [FakeTransport.Answer] = [
        .status(416, ["content-range": "bytes */500"]),
        .init(head: HTTPHead(status: 200), pieces: [Array("log in".utf8)]),
      ]
      for answer in answers {
        #expect(throws: (any Error).self) { try published.download(folder, FakeTransport(answer, answer)).run() }
        #expect(content(folder + "/x.bin.part") == part)
      }
    }
  }

  @Test("that was stopped does not hide data that are elsewhere, and is said to be unfinished")
  func unfinished() throws {
    try withTemporaryFolder { folder in
      let environment = ["WIDTH_TRANSFER_DATA": folder]
      try write([1], to: folder + "/mnist/train-images-idx3-ubyte.gz.part")
      expectFailure(.missing, path: "/mnist", "not finished", "data download mnist") {
        try Dataset.open("mnist", environment: environment)
      }
      try write([1], to: folder + "/tiny-imagenet/tiny-imagenet-200.zip")
      expectFailure(.missing, path: "/tiny-imagenet", "not finished") {
        try Dataset.open("tiny-imagenet", environment: environment)
      }
    }
  }

  @Test("takes no folder for unpacked that lacks what the archive holds")
  func halfUnpacked() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/tiny-imagenet-200", withIntermediateDirectories: true)
      expectExit(.badData, "tiny-imagenet-200", "lacks train/", "move it away") {
        try DatasetDownload("tiny-imagenet", folder: folder).run()
      }
    }
  }

  @Test("shows no password, and takes no address that is none")
  func addresses() throws {
    #expect(RemoteFile.shown("http://me:secret@h.example/x?y") == "http://h.example/x?y")
    #expect(RemoteFile.shown("http://h.example/x") == "http://h.example/x")
    for wrong in [
      "http://h.example/with space/", "http://h.example:99999/", "http://h.example/\u{1}", "h.example/x", "ftp://h/x",
    ] {
      expectExit(.usage, "`from`") { try DatasetDownload("mnist", mirror: wrong) }
    }
  }
}
