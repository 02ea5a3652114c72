import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Brings one file from its homes into a folder: under the name of a part until it is whole and its checksum is right.
struct FileDownload {
  /// All homes have failed.
  struct Failed: Error {
    var obstacles: [DownloadObstacle]
    /// The bytes that are there for the next time.
    var kept: Int
  }

  let file: RemoteFile
  let folder: String
  let transport: any Transport
  /// The signal that asks to stop.
  let interruption: () -> Int32?
  let report: (DownloadEvent) -> Void

  /// A connection that brought this much before it broke is taken up again at once.
  private static let worthwhile = 1 << 20
  private static let mostRedirections = 10

  var target: String { folder + "/" + file.name }
  private var partPath: String { target + ".part" }

  /// Sees to it that the file is in place.
  ///
  /// - Throws: ``Failed``; ``Support/FileFailure``: `badData` for other bytes than the published ones; ``Support/Interrupted``.
  func run() throws -> DownloadedFile.State {
    if try isPresent() {
      report(.present(file: file.name))
      return .present
    }
    let part = try PartFile(path: partPath)
    defer { if part.count == 0 { part.delete() } }
    try part.readWhatIsThere(limit: file.bytes) { try check(keeping: nil) }
    if part.count < file.bytes { try fetch(into: part) } else { try verify(part) }
    try part.commit(to: target)
    return part.kept > 0 ? .resumed : .downloaded
  }

  private func isPresent() throws -> Bool {
    guard let status = FileStatus(path: target) else { return false }
    func failure(_ what: String) -> FileFailure {
      FileFailure(
        .badData, path: target, reason: "is there, but is not the published file (\(what)); move it away to fetch that")
    }
    guard status.isFile else { throw failure("it is no file") }
    guard status.size == file.bytes else { throw failure("\(status.size) bytes, not \(file.bytes)") }
    let found = try FileChecksum.sha256(path: target) { try check(keeping: nil) }
    guard found == file.sha256 else { throw failure("SHA-256 \(found), not \(file.sha256)") }
    return true
  }

  private func fetch(into part: PartFile) throws {
    var obstacles: [DownloadObstacle] = []
    // A home that sends something else, as a network does that first wants a person to log in, is no reason not to ask the next.
    var other: FileFailure?
    var last: String?
    for home in file.addresses {
      if let last { report(.setback(file: file.name, reason: last)) }
      do {
        try fetch(into: part, from: home)
        return try verify(part)
      } catch let obstacle as DownloadObstacle {
        obstacles.append(obstacle)
        last = obstacle.text
      } catch let failure as FileFailure where failure.kind == .badData {
        other = other ?? failure
        last = failure.message
      }
    }
    if let other, !obstacles.contains(where: { $0.kind == .lost }) { throw other }
    throw Failed(obstacles: obstacles, kept: part.count)
  }

  private func fetch(into part: PartFile, from home: String) throws {
    while true {
      let before = part.count
      do {
        return try exchange(part, home)
      } catch let obstacle as DownloadObstacle {
        // However the exchange ended: all bytes are there.
        if part.count == file.bytes { return }
        guard obstacle.kind == .lost, part.count - before >= Self.worthwhile else { throw obstacle }
        report(.setback(file: file.name, reason: obstacle.text))
      }
    }
  }

  /// Asks once, and again wherever redirections lead.
  private func exchange(_ part: PartFile, _ home: String) throws {
    var address = home
    for _ in 0...Self.mostRedirections {
      report(.started(file: file.name, address: RemoteFile.shown(address), kept: part.count, bytes: file.bytes))
      let receiver = DownloadReceiver(self, part, address)
      do {
        try transport.get(address, from: part.count, receiver)
      } catch let failure as TransportFailure {
        throw DownloadObstacle(failure, at: address)
      }
      switch receiver.answer {
      case .content: return try complete(part, address, isTrusted: receiver.isTrusted)
      case .nothingLeft:
        throw DownloadObstacle(
          .refused, address, "has no more than the \(part.count) bytes that are there, of \(file.bytes): another file")
      case .redirection(let next): address = try redirection(from: address, to: next)
      case .refusal(let status): throw DownloadObstacle(.refused, address, "answers \(Self.shown(status))")
      case nil: throw DownloadObstacle(.lost, address, "it ended without an answer")
      }
    }
    throw DownloadObstacle(.refused, home, "redirects more than \(Self.mostRedirections) times")
  }

  // A server that says how long the file is and then ends early has been cut off; one that says nothing has sent another file.
  private func complete(_ part: PartFile, _ address: String, isTrusted: Bool) throws {
    guard part.count < file.bytes else { return }
    guard !isTrusted else { throw DownloadObstacle(.lost, address, "it ended after \(part.count) bytes") }
    throw try reject(part, "\(part.count) bytes came, \(file.bytes) were expected")
  }

  private func redirection(from address: String, to location: String) throws -> String {
    guard let next = URL(string: location, relativeTo: URL(string: address))?.absoluteURL,
      let scheme = next.scheme?.lowercased(), next.host?.isEmpty == false, ["http", "https"].contains(scheme)
    else {
      throw DownloadObstacle(.refused, address, "redirects to \(RemoteFile.shown(location)), which is not followed")
    }
    guard !address.lowercased().hasPrefix("https:") || scheme == "https" else {
      throw DownloadObstacle(
        .refused, address,
        "redirects to \(RemoteFile.shown(location)), from a secure connection to an open one, which is not followed")
    }
    return next.absoluteString
  }

  /// Compares size and checksum; other bytes than the published ones are deleted.
  private func verify(_ part: PartFile) throws {
    guard part.count == file.bytes else {
      throw try reject(part, "\(part.count) bytes came, \(file.bytes) were expected")
    }
    let found = part.checksum()
    guard found == file.sha256 else {
      throw try reject(part, "the SHA-256 of what came is \(found), \(file.sha256) was expected")
    }
  }

  /// Gives up what came.
  func reject(_ part: PartFile, _ what: String) throws -> FileFailure {
    try part.restart()
    return FileFailure(
      .badData, path: target,
      reason: "\(what): it is not the published file and is deleted. "
        + "Run the same command again to fetch it anew, or name another source with `from` URL")
  }

  /// Throws when a signal has arrived.
  func check(keeping part: PartFile?) throws {
    guard let signal = interruption() else { return }
    throw Interrupted(
      signal: signal,
      saved: part.flatMap { $0.count > 0 ? "\($0.count) of \(file.bytes) bytes are kept in \($0.path)" : nil })
  }

  private static func shown(_ status: Int) -> String {
    let names = [
      403: "Forbidden", 404: "Not Found", 410: "Gone", 429: "Too Many Requests", 500: "Internal Server Error",
      502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    ]
    return "with HTTP status \(status)" + (names[status].map { " (\($0))" } ?? "")
  }
}
