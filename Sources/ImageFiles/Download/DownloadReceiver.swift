import Support

/// Takes the answer of a server in: the file, its rest, or the reason why neither comes.
final class DownloadReceiver: TransportReceiver {
  enum Answer {
    case content
    case nothingLeft
    case redirection(String)
    case refusal(Int)
  }

  /// What the head meant; nil before it came.
  private(set) var answer: Answer?
  /// Whether the server named the size that the published file has.
  private(set) var isTrusted = false
  private let download: FileDownload
  private let part: PartFile
  private let address: String

  init(_ download: FileDownload, _ part: PartFile, _ address: String) {
    (self.download, self.part, self.address) = (download, part, address)
  }

  func receive(_ head: HTTPHead) throws -> Bool {
    let bytes = download.file.bytes
    switch head.status {
    case 200:
      // Before what is there is given up.
      if let length = head.length { try require(length == bytes, "has \(length) bytes, \(bytes) were expected") }
      if part.count > 0 {
        // A page of words instead of the file would cost what is there.
        guard head.length != nil else {
          throw FileFailure(
            .badData, path: RemoteFile.shown(address),
            reason:
              "sends the whole anew and does not say how long it is; delete \(part.path) to fetch the whole file, "
              + "or name another source with `from` URL")
        }
        try part.restart()
      }
      isTrusted = head.length != nil
      answer = .content
      return true
    case 206:
      try requireRest(head)
      isTrusted = head.range?.total != nil
      answer = .content
      return true
    case 416 where part.count > 0: answer = .nothingLeft
    case 301, 302, 303, 307, 308: answer = head.fields["location"].map { .redirection($0) } ?? .refusal(head.status)
    default: answer = .refusal(head.status)
    }
    return false
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws {
    guard part.count + bytes.count <= download.file.bytes else {
      throw try download.reject(
        part, "\(RemoteFile.shown(address)) sends more than the \(download.file.bytes) bytes that were expected")
    }
    try part.append(bytes)
    download.report(.progress(file: download.file.name, done: part.count, bytes: download.file.bytes))
    try check()
  }

  func check() throws { try download.check(keeping: part) }

  private func requireRest(_ head: HTTPHead) throws {
    let shown = ArchiveReader.shown(head.fields["content-range"] ?? "")
    guard let range = head.range, range.first == part.count else {
      throw FileFailure(
        .badData, path: RemoteFile.shown(address),
        reason: "answers the request for what follows byte \(part.count) with the range \"\(shown)\"; "
          + (part.count > 0 ? "delete \(part.path) to fetch the whole file, or name" : "name")
          + " another source with `from` URL")
    }
    if let total = range.total {
      try require(total == download.file.bytes, "has \(total) bytes, \(download.file.bytes) were expected")
    }
  }

  private func require(_ isRight: Bool, _ what: String) throws {
    guard !isRight else { return }
    throw FileFailure(
      .badData, path: RemoteFile.shown(address),
      reason: "\(what): it is not the published file. Name another source with `from` URL")
  }
}
