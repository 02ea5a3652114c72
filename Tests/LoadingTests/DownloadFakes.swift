import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

/// Servers as a list of answers: no socket, no waiting.
final class FakeTransport: Transport, @unchecked Sendable {
  struct Request: Equatable {
    var address: String
    var offset: Int
  }

  struct Answer {
    var head: HTTPHead?
    var pieces: [[UInt8]] = []
    var failure: TransportFailure?

    /// The file from byte `offset` on as a well-behaved server sends it, cut off after `cut` bytes.
    static func file(_ bytes: [UInt8], from offset: Int = 0, cut: Int? = nil) -> Answer {
      var fields = ["content-length": "\(bytes.count - offset)"]
      if offset > 0 { fields["content-range"] = "bytes \(offset)-\(bytes.count - 1)/\(bytes.count)" }
      let rest = Array(bytes[offset...].prefix(cut ?? bytes.count))
      let piece = max(100, bytes.count / 50)
      return Answer(
        head: HTTPHead(status: offset > 0 ? 206 : 200, fields: fields),
        pieces: stride(from: 0, to: rest.count, by: piece).map { Array(rest[$0..<min($0 + piece, rest.count)]) },
        failure: cut == nil ? nil : .lost("it broke"))
    }

    static func status(_ status: Int, _ fields: [String: String] = [:]) -> Answer {
      Answer(head: HTTPHead(status: status, fields: fields), pieces: [Array("sorry".utf8)])
    }
  }

  private(set) var requests: [Request] = []
  private var answers: [Answer]

  // Given when the list is at its end.
  private var always: Answer?

  init(_ answers: Answer...) { self.answers = answers }

  func repeatForever(_ answer: Answer) { always = answer }

  func get(_ address: String, from offset: Int, _ receiver: any TransportReceiver) throws {
    requests.append(Request(address: address, offset: offset))
    let answer = try #require(answers.first ?? always, "\(address) was not expected")
    answers = Array(answers.dropFirst())
    try receiver.check()
    if let head = answer.head {
      guard try receiver.receive(head) else { return }
      for piece in answer.pieces { try piece.withUnsafeBytes { try receiver.receive($0) } }
    }
    if let failure = answer.failure { throw failure }
  }
}

/// A file that is published nowhere, at two homes.
struct Publication {
  let bytes: [UInt8]
  let file: RemoteFile

  init(_ count: Int = 1000, homes: [String] = ["https://a.example/x.bin", "http://b.example/x.bin"]) {
    var bytes = (0..<min(count, 1021)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    while bytes.count < count { bytes += bytes.prefix(count - bytes.count) }
    self.bytes = bytes
    file = RemoteFile(name: "x.bin", homes: homes, bytes: count, sha256: sha256(bytes))
  }

  func download(
    _ folder: String, _ transport: any Transport, interruption: @escaping () -> Int32? = { nil }
  ) -> DatasetDownload {
    DatasetDownload(dataset: "known", folder: folder, files: [file], unpackedFolder: nil, keepsArchive: false)
      .using(transport, interruption: interruption)
  }
}

func sha256(_ bytes: [UInt8]) -> String {
  guard let digest = try? SHA256Digest() else { return "no SHA-256" }
  bytes.withUnsafeBytes { digest.update($0) }
  return digest.finish()
}

/// The content of a file, or nil.
func content(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }

/// What lies in a folder.
func names(_ folder: String) -> [String] {
  ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? ["not there"]).sorted()
}

extension DatasetDownload {
  func using(_ transport: any Transport, interruption: @escaping () -> Int32? = { nil }) -> DatasetDownload {
    var copy = self
    (copy.transport, copy.interruption) = (transport, interruption)
    return copy
  }

  /// Downloads its one file and expects it to come so.
  func expect(_ state: DownloadedFile.State, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let report = try run()
    #expect(report.files.map(\.state) == [state], sourceLocation: sourceLocation)
  }
}

/// Expects a failure with this exit code whose message holds all `words`.
func expectExit<Result>(
  _ code: Support.ExitStatus, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Result
) {
  do {
    _ = try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let failure as any Failure {
    #expect(failure.exitCode == code, "\(failure)", sourceLocation: sourceLocation)
    for word in words {
      #expect(failure.message.contains(word), "\(failure) lacks \"\(word)\"", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("\(error) was thrown", sourceLocation: sourceLocation)
  }
}
