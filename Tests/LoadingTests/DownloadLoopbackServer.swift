import Foundation
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A web server of a few lines on a port of this machine: one answer a connection, as a test wants it.
final class LoopbackServer: Sendable {
  struct Request: Sendable, Equatable {
    var path: String
    /// The first byte asked for.
    var offset: Int
  }

  struct Answer: Sendable {
    var head: String
    var body: [UInt8] = []
    /// Whether the connection stays open, without a word, until the client gives up.
    var hangs = false

    /// What a server with ranges says.
    static func file(_ bytes: [UInt8], _ request: Request, cut: Int = .max) -> Answer {
      let rest = Array(bytes[request.offset...])
      let head =
        request.offset == 0
        ? "HTTP/1.1 200 OK"
        : "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes \(request.offset)-\(bytes.count - 1)/\(bytes.count)"
      return Answer(head: head + "\r\nContent-Length: \(rest.count)", body: Array(rest.prefix(cut)))
    }
  }

  let port: Int
  private let listener: Int32
  private let received = Mutex<[Request]>([])
  private let answer: @Sendable (Request) -> Answer

  /// Starts to serve.
  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    self.answer = answer
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 8) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(descriptor >= 0 && bound, "no port can be had on 127.0.0.1")
    listener = descriptor
    port = Int(in_port_t(bigEndian: address.sin_port))
    Thread { [self] in serve() }.start()
  }

  /// What was asked for.
  var requests: [Request] { received.withLock { $0 } }

  var address: String { "http://127.0.0.1:\(port)" }

  /// Ends serving.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func serve() {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { break }
      handle(connection)
      close(connection)
    }
    close(listener)
  }

  private func handle(_ connection: Int32) {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !text.contains("\r\n\r\n") {
      let count = recv(connection, &buffer, buffer.count, 0)
      // Who greets in TLS is not understood.
      guard count > 0, buffer[0] != 0x16 else { return }
      text += String(decoding: buffer.prefix(count), as: UTF8.self)
    }
    let lines = text.components(separatedBy: "\r\n")
    let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
    let request = Request(
      path: lines[0].components(separatedBy: " ")[1],
      offset: range.flatMap { Int($0.dropFirst("range: bytes=".count).dropLast()) } ?? 0)
    received.withLock { $0.append(request) }
    let answer = answer(request)
    let bytes = Array((answer.head + "\r\nConnection: close\r\n\r\n").utf8) + answer.body
    if answer.head.isEmpty || send(bytes, to: connection), answer.hangs { _ = recv(connection, &buffer, 1, 0) }
  }

  private func send(_ bytes: [UInt8], to connection: Int32) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let pointer = UnsafeRawBufferPointer(rebasing: rest).baseAddress
        let count = Glibc.send(connection, pointer, rest.count, Int32(MSG_NOSIGNAL))
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
  }
}

/// Calls `body` with a server that answers so and an empty folder.
func withServer(
  _ answer: @escaping @Sendable (LoopbackServer.Request) -> LoopbackServer.Answer,
  _ body: (LoopbackServer, String) throws -> Void
) throws {
  let server = try LoopbackServer(answer)
  defer { server.stop() }
  try withTemporaryFolder { try body(server, $0) }
}
