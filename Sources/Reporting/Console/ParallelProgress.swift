import Records
import Support

/// Shows to a person how several jobs at once get on: the lines of each, and on a terminal below them one line for all.
public final class ParallelProgress {
  private let all: Int
  private let isTerminal: Bool
  private let isQuiet: Bool
  private let write: @Sendable (String) -> Void
  private var reporters: [String: ProgressReporter] = [:]
  // What a job does now, by the part that it belongs to.
  private var standing: [(part: String, text: String)] = []
  private var over = 0
  private var isLineOpen = false

  /// Creates a display.
  ///
  /// - Parameters:
  ///   - all: How many parts there are.
  ///   - isQuiet: Whether only warnings are shown.
  ///   - isTerminal: Whether a line can be rewritten; nil asks the system.
  ///   - write: Where the text goes; standard error unless a test wants it.
  public init(
    of all: Int, isQuiet: Bool = false, isTerminal: Bool? = nil,
    write: @escaping @Sendable (String) -> Void = { StandardError.write($0) }
  ) {
    self.all = all
    self.isQuiet = isQuiet
    self.isTerminal = isTerminal ?? StandardError.isRewritable
    self.write = write
  }

  /// Shows an event of a part's job.
  public func receive(_ relayed: RelayedEvent, of part: String) {
    let reporter =
      reporters[relayed.label]
      ?? ProgressReporter(label: relayed.label, isQuiet: isQuiet, isTerminal: false, write: write)
    reporters[relayed.label] = reporter
    switch relayed.event.event {
    case .step(let step) where isTerminal: stand(part, relayed.label, step.step, step.totalSteps)
    case .search(let search) where isTerminal: stand(part, relayed.label, search.step, search.totalSteps)
    default:
      clear()
      reporter.receive(relayed.event)
    }
    draw()
  }

  /// Takes note of which parts are at work, and how many are over.
  public func change(atWork: [String], over: Int) {
    standing.removeAll { !atWork.contains($0.part) }
    self.over = over
    draw()
  }

  /// Says that something went wrong.
  public func fail(_ text: String) {
    clear()
    write(text + "\n")
  }

  /// Removes the line that keeps changing.
  public func clear() {
    if isLineOpen { write("\r\u{1B}[2K") }
    isLineOpen = false
  }

  private func stand(_ part: String, _ label: String, _ step: Int, _ total: Int) {
    let entry = (part, "\(label) \(100 * step / max(total, 1)) %")
    if let index = standing.firstIndex(where: { $0.part == part }) {
      standing[index] = entry
    } else {
      standing.append(entry)
    }
  }

  private func draw() {
    guard isTerminal, !isQuiet else { return }
    let texts = standing.map(\.text).joined(separator: " · ")
    write("\r\u{1B}[2K\(over) of \(all) done" + (texts.isEmpty ? "" : " · \(texts)"))
    isLineOpen = true
  }
}
