import Foundation
import Support

/// Appends events to `events.jsonl`, one JSON object a line, and reads them back.
public final class EventLog: EventSink, @unchecked Sendable {
  private let handle: FileHandle
  private let path: String
  private let encoder: JSONEncoder
  private let lock = NSLock()

  /// Opens the log for appending and creates it when it does not exist.
  ///
  /// A last line that a killed process left unfinished is ended first, so that it cannot swallow the next one.
  ///
  /// - Throws: ``FileFailure`` of kind `cannotCreate`, or `io` when the file that is there cannot be appended to.
  public init(path: String) throws {
    self.path = path
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    if !FileManager.default.fileExists(atPath: path) { try AtomicFile.write(Data(), to: path) }
    guard let handle = FileHandle(forUpdatingAtPath: path) else {
      throw FileFailure(.cannotCreate, path: path, reason: "cannot be opened for writing (\(errorText(errno)))")
    }
    self.handle = handle
    do {
      try Self.endLastLine(handle)
    } catch {
      throw FileFailure(.io, path: path, reason: "cannot be appended to (\(error.localizedDescription))")
    }
  }

  private static func endLastLine(_ handle: FileHandle) throws {
    let end = try handle.seekToEnd()
    guard end > 0 else { return }
    try handle.seek(toOffset: end - 1)
    let last = try handle.read(upToCount: 1)
    if last != Data([0x0A]) { try handle.write(contentsOf: Data([0x0A])) }
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
        throw FileFailure(.io, path: path, reason: "writing failed (\(error.localizedDescription))")
      }
    }
  }

  /// Flushes the log to disk.
  public func flush() throws { try lock.withLock { try handle.synchronize() } }

  /// Reads all whole lines; a line that a killed process left unfinished is passed over.
  ///
  /// - Throws: ``FileFailure`` of kind `missing` when there is no such file.
  public static func read(path: String) throws -> [TimedEvent] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileFailure(.missing, path: path, reason: "there is no such event log; is this a run folder?")
    }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return data.split(separator: 0x0A).compactMap { try? decoder.decode(TimedEvent.self, from: $0) }
  }
}
