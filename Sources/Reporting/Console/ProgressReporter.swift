import Foundation
import Records
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Shows a run's events to a person, on standard error: one line that keeps changing on a terminal, otherwise a plain line
/// about every 30 seconds and at the ends of epochs.
public final class ProgressReporter: EventSink {
  private let isTerminal: Bool
  private let isQuiet: Bool
  private let label: String
  private let write: @Sendable (String) -> Void
  private var started = 0.0
  private var firstStep = 0
  private var epochs = 0
  private var lastLine = 0.0
  private var isLineOpen = false

  /// Creates a reporter.
  ///
  /// - Parameters:
  ///   - label: What is running, shown before every line.
  ///   - isQuiet: Whether only warnings are shown.
  ///   - isTerminal: Whether the line can be rewritten; nil asks the system.
  ///   - write: Where the text goes; standard error unless a test wants it.
  public init(
    label: String, isQuiet: Bool = false, isTerminal: Bool? = nil,
    write: @escaping @Sendable (String) -> Void = { StandardError.write($0) }
  ) {
    self.label = label
    self.isQuiet = isQuiet
    self.isTerminal = isTerminal ?? StandardError.isRewritable
    self.write = write
  }

  /// Shows an event.
  public func receive(_ timed: TimedEvent) {
    switch timed.event {
    case .start(let start):
      epochs = start.epochs
      started = timed.time
      lastLine = timed.time
      line(
        "\(start.network): \(Format.amount(start.macs)) MACs, \(Format.amount(start.parameters)) "
          + "parameters; \(start.images) images at \(start.resolution) px, \(start.epochs == 1 ? "1 epoch" : "\(start.epochs) epochs") on \(start.device)"
      )
    case .resume(let resume):
      firstStep = resume.step
      line("goes on from step \(resume.step)")
    case .step(let step):
      progress(
        timed.time, step.step, step.totalSteps,
        "\(number(step.epoch))  loss \(Format.decimal(step.loss, 4))  \(rate(step.imagesPerSecond))")
    case .search(let search):
      // A budget of another model has no number in MACs.
      let part =
        search.targetMACs > 0
        ? "\(Format.decimal(100 * search.macs / search.targetMACs, 1)) % of budget"
        : "\(Format.si(search.macs)) MACs"
      let undecided = search.undecided.map { "  widths ± \(Format.percent(100 * $0, 0))" } ?? ""
      progress(
        timed.time, search.step, search.totalSteps,
        "\(search.stage)  loss \(Format.decimal(search.loss, 4))  \(part)\(undecided)  \(rate(search.imagesPerSecond))"
      )
    case .epoch(let epoch):
      var text = "\(number(epoch.epoch)): training loss \(Format.decimal(epoch.trainLoss, 4))"
      if let top1 = epoch.top1, let loss = epoch.loss {
        text += ", held-out loss \(Format.decimal(loss, 4)), top-1 \(Format.decimal(top1, 2)) %"
      }
      line(text + " (\(Format.decimal(epoch.seconds, 1)) s)")
      lastLine = timed.time
    case .adaptation(let adaptation):
      let changes = adaptation.changes.map { "\($0.group) \($0.from) → \($0.to) (\($0.pattern))" }
      line(
        "widths change: \(changes.joined(separator: ", ")); \(Format.amount(adaptation.macs)) MACs, "
          + "\(Format.amount(adaptation.parameters)) parameters from now on")
    case .warning(let warning): line("warning: \(warning.message)", always: true)
    case .done(let done): line("done in \(Format.timeLeft(done.seconds))")
    case .widths, .checkpoint: break
    }
  }

  private func number(_ epoch: Int) -> String { "epoch \(epoch + 1)" + (epochs > 0 ? "/\(epochs)" : "") }

  private func rate(_ value: Double) -> String { "\(Int(value)) images/s" }

  private func progress(_ now: Double, _ step: Int, _ total: Int, _ text: String) {
    guard !isQuiet, total > 0 else { return }
    let done = Double(step - firstStep)
    let left = done > 0 ? (now - started) * Double(total - step) / done : 0
    let tail = "\(text)  \(Format.timeLeft(left)) left"
    if isTerminal {
      let filled = min(20, 20 * step / total)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
      write("\r\u{1B}[2K\(label) \(bar) \(100 * step / total)%  \(tail)")
      isLineOpen = true
    } else if now - lastLine >= 30 {
      line("step \(step)/\(total)  \(tail)")
      lastLine = now
    }
  }

  private func line(_ text: String, always: Bool = false) {
    guard always || !isQuiet else { return }
    write((isLineOpen ? "\r\u{1B}[2K" : "") + "\(label): \(text)\n")
    isLineOpen = false
  }
}
