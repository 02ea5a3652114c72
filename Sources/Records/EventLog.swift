import Foundation
import Support

/// Appends events to `events.jsonl`, one JSON object a line, and reads them back.
public final class EventLog: EventSink {
  private let handle: FileHandle
  private let path: String
  private let encoder: JSONEncoder
  private let lock = NSLock()

  /// Opens the log for appending and creates it when it does not exist.
  ///
  /// A last line that a killed process left unfinished is removed first, so that every line is a whole object.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `cannotCreate`, or `io` when the file that is there cannot be appended to.
  public init(path: String) throws {
    self.path = path
    encoder = .compact
    if !FileManager.default.fileExists(atPath: path) { try AtomicFile.write(Data(), to: path) }
    guard let handle = FileHandle(forUpdatingAtPath: path) else {
      throw FileFailure(.cannotCreate, path: path, reason: "cannot be opened for writing (\(errorText(errno)))")
    }
    self.handle = handle
    do {
      try Self.removeUnfinishedLine(handle)
    } catch {
      throw FileFailure(.io, path: path, reason: "cannot be appended to (\(error.localizedDescription))")
    }
  }

  private static func removeUnfinishedLine(_ handle: FileHandle) throws {
    var end = try handle.seekToEnd()
    let size = end
    while end > 0 {
      let start = end - min(end, 4096)
      try handle.seek(toOffset: start)
      let block = try handle.read(upToCount: Int(end - start)) ?? Data()
      if let newline = block.lastIndex(of: 0x0A) {
        end = start + UInt64(block.distance(from: block.startIndex, to: newline)) + 1
        break
      }
      end = start
    }
    if end < size { try handle.truncate(atOffset: end) }
    try handle.seekToEnd()
  }

  deinit { try? handle.close() }

  /// Appends one line.
  public func receive(_ event: TimedEvent) throws {
    try lock.withLock {
      do {
        var line = try encoder.encode(event)
        line.append(0x0A)
        try handle.write(contentsOf: line)
      } catch {
        throw FileFailure(
          .io, path: path,
          reason: "writing failed (\(Self.why(error))). "
            + "Free some space, then run the same command again to go on from the latest checkpoint")
      }
    }
  }

  // Foundation's own words for a full disk are long and do not name it.
  private static func why(_ error: any Error) -> String {
    ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError).map { errorText(Int32($0.code)) }
      ?? error.localizedDescription
  }

  /// Flushes the log to disk.
  public func flush() throws { try lock.withLock { try handle.synchronize() } }

  /// Appends the last events of a run whose process was killed between its result and its last event.
  ///
  /// A log that tells of the end already stays as it is.
  public static func complete(path: String, with events: [RunEvent]) throws {
    if FileManager.default.fileExists(atPath: path) {
      var last: RunEvent?
      try read(path: path) { last = $0.event }
      if case .done = last { return }
    }
    let stream = EventStream([try EventLog(path: path)])
    for event in events { try stream.send(event) }
    try stream.flush()
  }

  /// Reads all whole lines; a line that a killed process left unfinished is passed over.
  ///
  /// - Throws: As ``read(path:visit:)``.
  public static func read(path: String) throws -> [TimedEvent] {
    var events: [TimedEvent] = []
    try read(path: path) { events.append($0) }
    return events
  }

  /// Visits the event of every whole line, in order, in memory that does not grow with the log.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when there is no such file, `io` when it cannot be read.
  public static func read(path: String, visit: (TimedEvent) -> Void) throws {
    try read(path: path, inBlocksOf: 1 << 20, longest: 64 << 20, visit: visit)
  }

  // The longest line that a network of thousands of width groups writes is below a megabyte; longer ones are no event of ours.
  static func read(path: String, inBlocksOf block: Int, longest: Int, visit: (TimedEvent) -> Void) throws {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw FileFailure(.missing, path: path, reason: "there is no such event log; is this a run folder?")
    }
    defer { try? handle.close() }
    let decoder = JSONDecoder.own
    var rest = Data()
    var isSkipping = false
    func take(_ line: Data) { if let event = try? decoder.decode(TimedEvent.self, from: line) { visit(event) } }
    func readBlock() throws -> Data? {
      do { return try handle.read(upToCount: block) } catch {
        throw FileFailure(.io, path: path, reason: "cannot be read (\(why(error)))")
      }
    }
    while let data = try readBlock(), !data.isEmpty {
      rest.append(data)
      var start = rest.startIndex
      while let end = rest[start...].firstIndex(of: 0x0A) {
        if !isSkipping { take(rest[start..<end]) }
        isSkipping = false
        start = rest.index(after: end)
      }
      rest = Data(rest[start...])
      if rest.count > longest { (rest, isSkipping) = (Data(), true) }
    }
    if !isSkipping, !rest.isEmpty { take(rest) }
  }
}
