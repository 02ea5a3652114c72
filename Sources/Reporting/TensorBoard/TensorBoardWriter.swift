import Foundation
import Records
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Writes the numbers of a run as a TensorBoard event file, `events.out.tfevents.<seconds>.<host>` in the run folder.
///
/// The file is opened by the first numbers. A run that goes on after a stop gets a file of its own, whose first records tell
/// TensorBoard from which step on the earlier files no longer hold, so that no step shows twice.
public final class TensorBoardWriter: EventSink {
  private let folder: String
  private let host: String
  private let lock = NSLock()
  private var file: OpenFile?

  private struct OpenFile {
    let handle: FileHandle
    let path: String
    let hasPredecessors: Bool
    var hasSession = false
    var hasScalars = false
  }

  /// Creates a writer for a run folder without touching the disk.
  ///
  /// - Parameters:
  ///   - folder: The run folder; it must exist when the first numbers arrive.
  ///   - host: The machine's name for the file's name; the system's own name when nil.
  public init(folder: RunFolder, host: String? = nil) {
    self.folder = folder.path
    self.host = Self.fileNamePart(host ?? Self.systemHostName())
  }

  deinit { try? file?.handle.close() }

  /// Appends the numbers of `event`, if it has any.
  ///
  /// - Throws: ``FileFailure``: `cannotCreate` when the file cannot be made, `io` when writing fails.
  public func receive(_ event: TimedEvent) throws {
    try lock.withLock {
      if case .resume(let resume) = event.event {
        if file?.hasScalars == true { try close() }
        try startSession(at: resume.step + 1, time: event.time)
        return
      }
      guard let (step, scalars) = Self.scalars(of: event.event), !scalars.isEmpty else { return }
      if file == nil { try open(time: event.time) }
      // A run that begins anew without a checkpoint repeats everything.
      if let file, file.hasPredecessors, !file.hasSession { try startSession(at: 0, time: event.time) }
      try append(try TensorBoardRecord.scalars(scalars, step: step, time: event.time))
      file?.hasScalars = true
    }
  }

  /// Flushes the file to disk.
  public func flush() throws {
    try lock.withLock {
      guard let file else { return }
      do { try file.handle.synchronize() } catch { throw Self.failure(file.path, error) }
    }
  }

  /// The tags and values of an event, with the step that they belong to; nil for events without numbers.
  static func scalars(of event: RunEvent) -> (step: Int, scalars: [(tag: String, value: Double)])? {
    switch event {
    case .step(let step):
      return (
        step.step,
        [
          ("train/loss", step.loss), ("train/learning_rate", step.learningRate),
          ("images_per_second", step.imagesPerSecond),
        ]
      )
    case .epoch(let epoch):
      let values: [(String, Double?)] = [
        ("train/epoch_loss", epoch.trainLoss), ("heldout/loss", epoch.loss), ("heldout/top1", epoch.top1),
        ("heldout/top5", epoch.top5), ("seconds_per_epoch", epoch.seconds),
      ]
      return (epoch.step, values.compactMap { tag, value in value.map { (tag, $0) } })
    case .search(let search):
      let widths = search.widths.sorted { $0.key < $1.key }.map { ("search_widths/\($0.key)", $0.value) }
      return (
        search.step,
        [
          ("search/loss", search.loss), ("search/expected_macs", search.macs),
          ("images_per_second", search.imagesPerSecond),
        ] + (search.targetMACs > 0 ? [("search/target_macs", search.targetMACs)] : [])
          + (search.undecided.map { [("search/undecided", $0)] } ?? []) + widths
      )
    case .adaptation(let adaptation):
      return (
        adaptation.step,
        [("macs", Double(adaptation.macs)), ("parameters", Double(adaptation.parameters))]
          + adaptation.changes.map { ("widths/\($0.group)", Double($0.to)) }
      )
    case .start, .widths, .checkpoint, .resume, .warning, .done:
      return nil
    }
  }

  private func startSession(at step: Int, time: Double) throws {
    if file == nil { try open(time: time) }
    try append(try TensorBoardRecord.sessionStart(step: step, time: time))
    file?.hasSession = true
  }

  private func open(time: Double) throws {
    let existing = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let hasPredecessors = existing.contains { $0.hasPrefix("events.out.tfevents.") }
    let base = String(format: "events.out.tfevents.%010d", Int(time)) + ".\(host)"
    var attempt = 0
    while true {
      // A second file within one second gets a number that sorts behind the first.
      let name = attempt == 0 ? base : "\(base).\(attempt)"
      let path = (folder as NSString).appendingPathComponent(name)
      let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
      if descriptor >= 0 {
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        file = OpenFile(handle: handle, path: path, hasPredecessors: hasPredecessors)
        return try append(try TensorBoardRecord.version(time: time))
      }
      guard errno == EEXIST, attempt < 1000 else {
        throw FileFailure(.cannotCreate, path: path, reason: "cannot be created (\(errorText(errno)))")
      }
      attempt += 1
    }
  }

  private func append(_ record: Data) throws {
    guard let file else { return }
    do { try file.handle.write(contentsOf: record) } catch { throw Self.failure(file.path, error) }
  }

  private func close() throws {
    guard let open = file else { return }
    file = nil
    do { try open.handle.close() } catch { throw Self.failure(open.path, error) }
  }

  private static func failure(_ path: String, _ error: any Error) -> FileFailure {
    FileFailure(.io, path: path, reason: "writing failed (\(error.localizedDescription))")
  }

  private static func systemHostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func fileNamePart(_ host: String) -> String {
    let safe = host.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) ? $0 : "-" }
    return safe.isEmpty ? "localhost" : String(safe)
  }
}
