import ArgumentParser
import Foundation
import ImageFiles
import Support

#if canImport(Glibc)
  import Glibc
#endif

package struct DataDownloadCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "download",
    abstract: "Fetches a well-known data set, goes on where an earlier run stopped, and checks its SHA-256.",
    discussion: """
      Example: width-transfer data download cifar10

      Known names: \(Dataset.knownNames.joined(separator: ", ")). Exit code 69 if there is no network, 65 if other bytes come \
      than the published ones.
      """)

  @Argument(help: "The data set's name.")
  package var name: String

  @Option(
    help: ArgumentHelp("The folder for its files (default: $WIDTH_TRANSFER_DATA/NAME or data/NAME).", valueName: "dir"),
    completion: .file())
  package var output: String?

  @Option(
    help: ArgumentHelp("A mirror: the address of a folder that holds files of the same names.", valueName: "url"))
  package var from: String?

  @Flag(help: "Keep the archive of a data set that is unpacked (tiny-imagenet).")
  package var keepArchive = false

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func run() throws {
    let download = try DatasetDownload(name, folder: output, mirror: from, keepsArchive: keepArchive)
    Interruption.listen()
    let progress = DownloadProgress(general)
    defer { progress.end() }
    let report = try download.run { progress.show($0) }
    progress.end()
    if json { try Output.json(report) } else { try Output.text(Self.text(report)) }
  }

  private static func text(_ report: DownloadReport) -> String {
    let parts = [DownloadedFile.State.downloaded, .resumed, .present].compactMap { state in
      let count = report.files.count { $0.state == state }
      return count == 0 ? nil : "\(count) \(state.rawValue)"
    }
    return "\(report.dataset) is complete in \(report.folder): "
      + "\(report.files.count == 1 ? "1 file" : "\(report.files.count) files"), \(parts.joined(separator: ", "))"
  }
}

/// Shows a download on standard error: one line that keeps changing on a terminal, otherwise a plain line about every 30
/// seconds.
private final class DownloadProgress {
  private let general: GeneralOptions
  private let isTerminal = StandardError.isRewritable
  private let clock = ContinuousClock()
  private var started: (time: ContinuousClock.Instant, bytes: Int)
  private var shown: ContinuousClock.Instant
  private var isLineOpen = false

  package init(_ general: GeneralOptions) {
    self.general = general
    started = (clock.now, 0)
    shown = clock.now
  }

  package func show(_ event: DownloadEvent) {
    switch event {
    case .present(let file): line("\(file) is there, with the right checksum")
    case .started(let file, let address, let kept, let bytes):
      line(
        kept > 0
          ? "\(file): going on after \(Format.megabytes(kept)) of \(Format.megabytes(bytes)), from \(address)"
          : "\(file): \(Format.megabytes(bytes)) from \(address)")
      started = (clock.now, kept)
    case .progress(let file, let done, let bytes):
      passing {
        let seconds = Self.seconds(clock.now - started.time)
        let rate = seconds > 0 ? Double(max(done - started.bytes, 0)) / seconds : 0
        let left = rate > 0 ? ", \(Format.timeLeft(Double(bytes - done) / rate)) left" : ""
        return "\(file): \(100 * done / max(bytes, 1))%, \(Format.decimal(rate / 1e6, 1)) MB/s\(left)"
      }
    case .setback(let file, let reason): line("\(file): \(reason); trying again")
    case .unpacking(let file, let members): passing { "\(file): \(members) files unpacked" }
    }
  }

  /// Leaves a line that keeps changing as it is.
  package func end() {
    if isLineOpen { StandardError.write("\n") }
    isLineOpen = false
  }

  private func line(_ text: String) {
    if isLineOpen { StandardError.write("\r\u{1B}[2K") }
    isLineOpen = false
    general.note(text)
  }

  private func passing(_ text: () -> String) {
    let now = clock.now
    guard !general.quiet, now - shown >= (isTerminal ? .milliseconds(200) : .seconds(30)) else { return }
    shown = now
    guard isTerminal else { return general.note(text()) }
    StandardError.write("\r\u{1B}[2Kwidth-transfer: \(text())")
    isLineOpen = true
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }
}
