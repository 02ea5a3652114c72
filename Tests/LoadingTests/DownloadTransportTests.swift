import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

/// libcurl against a server on this machine: no network is needed.
@Suite("Downloads over HTTP")
struct DownloadTransportTests {
  private func publication(_ server: LoopbackServer, _ count: Int = 3_000_000) -> Publication {
    Publication(count, homes: [server.address + "/sets/x.bin"])
  }

  private let quick = CurlTransport(connectSeconds: 5, stallSeconds: 1)

  @Test("bring a file")
  func fresh() throws {
    let bytes = Publication(3_000_000).bytes
    try withServer {
      .file(bytes, $0)
    } _: { server, folder in
      try publication(server).download(folder, quick).expect(.downloaded)
      #expect(content(folder + "/x.bin") == bytes)
      #expect(server.requests == [.init(path: "/sets/x.bin", offset: 0)])
    }
  }

  @Test("go on where a connection broke, by itself or in the next run")
  func resumed() throws {
    let bytes = Publication(3_000_000).bytes
    // The first two connections break, after much and after little.
    try withServer {
      .file(bytes, $0, cut: $0.offset == 0 ? 2_000_000 : $0.offset == 2_000_000 ? 1234 : .max)
    } _: { server, folder in
      expectExit(.ioError, "127.0.0.1 was lost", "2001234 of 3000000 bytes are kept") {
        try publication(server).download(folder, quick).run()
      }
      try publication(server).download(folder, quick).expect(.resumed)
      #expect(content(folder + "/x.bin") == bytes)
      #expect(server.requests.map(\.offset) == [0, 2_000_000, 2_001_234])
    }
  }

  @Test("follow redirections")
  func redirected() throws {
    let bytes = Publication(5000).bytes
    try withServer { request in
      request.path == "/sets/x.bin"
        ? .init(head: "HTTP/1.1 302 Found\r\nLocation: /elsewhere", body: Array("moved".utf8))
        : .file(bytes, request)
    } _: { server, folder in
      try publication(server, 5000).download(folder, quick).expect(.downloaded)
      #expect(server.requests.map(\.path) == ["/sets/x.bin", "/elsewhere"])
    }
  }

  @Test("say what a server says that does not have the file")
  func refused() throws {
    try withServer { _ in
      .init(head: "HTTP/1.1 404 Not Found", body: Array("<html>".utf8))
    } _: { server, folder in
      expectExit(.unavailable, "\(server.address)/sets/x.bin answers with HTTP status 404 (Not Found)") {
        try publication(server).download(folder, quick).run()
      }
    }
  }

  @Test("stop a server that does not")
  func endless() throws {
    try withServer { _ in
      .init(head: "HTTP/1.1 200 OK", body: [UInt8](repeating: 1, count: 4_000_000))
    } _: { server, folder in
      expectExit(.badData, "sends more than the 3000000 bytes") {
        try publication(server).download(folder, quick).run()
      }
      #expect(names(folder).isEmpty)
    }
  }

  @Test("give up on a server that says nothing, goes silent or is not there")
  func silent() throws {
    let bytes = Publication(3_000_000).bytes
    try withServer { _ in
      .init(head: "", hangs: true)
    } _: { server, folder in
      expectExit(.unavailable, "127.0.0.1 cannot be reached", "nothing came") {
        try publication(server).download(folder, quick).run()
      }
    }
    try withServer { request in
      var answer = LoopbackServer.Answer.file(bytes, request, cut: 1000)
      answer.hangs = true
      return answer
    } _: { server, folder in
      expectExit(.ioError, "was lost", "1000 of 3000000 bytes are kept") {
        try publication(server).download(folder, quick).run()
      }
    }
    // A port that nobody listens on any more.
    let gone = try LoopbackServer { _ in .init(head: "") }
    gone.stop()
    try withTemporaryFolder { folder in
      expectExit(.unavailable, "127.0.0.1 cannot be reached") {
        try publication(gone).download(folder, quick).run()
      }
      let secure = Publication(homes: ["https://127.0.0.1:\(gone.port)/x.bin"])
      expectExit(.unavailable, "127.0.0.1 cannot be reached") { try secure.download(folder, quick).run() }
    }
  }

  @Test("take a server that does not speak HTTPS for insecure, and no other protocol at all")
  func protocols() throws {
    try withServer { _ in
      .init(head: "HTTP/1.1 200 OK")
    } _: { server, folder in
      let secure = Publication(homes: ["https://127.0.0.1:\(server.port)/x.bin"])
      expectExit(.unavailable, "no secure connection to 127.0.0.1") { try secure.download(folder, quick).run() }
      let local = Publication(homes: ["file:///etc/hostname"])
      #expect(throws: DownloadFailure.self) { try local.download(folder, quick).run() }
    }
  }

  @Test("end at a signal also while nothing comes")
  func interrupted() throws {
    try withServer { _ in
      .init(head: "", hangs: true)
    } _: { server, folder in
      let started = Date()
      let patient = CurlTransport(connectSeconds: 60, stallSeconds: 60)
      let stopped = publication(server).download(folder, patient) {
        Date().timeIntervalSince(started) > 0.3 ? SIGINT : nil
      }
      expectExit(.interrupted, "interrupted") { try stopped.run() }
      #expect(Date().timeIntervalSince(started) < 20)
    }
  }
}
