import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Shows how far a counted piece of work is, on standard error: a bar that keeps changing on a terminal, otherwise a plain line about
/// every 30 seconds.
public final class WorkProgress {
  private let label: String
  private let unit: String
  private let isTerminal: Bool
  private let isQuiet: Bool
  private let now: () -> Double
  private let write: (String) -> Void
  private let started: Double
  private var last: Double
  private var isLineOpen = false

  /// Begins to count.
  ///
  /// - Parameters:
  ///   - label: What is done, shown before every line.
  ///   - unit: What is counted, in the plural.
  ///   - isQuiet: Whether nothing is shown.
  ///   - isTerminal: Whether the line can be rewritten; nil asks the system.
  ///   - now: The clock, in seconds.
  ///   - write: Where the text goes; standard error unless a test wants it.
  public init(
    label: String, unit: String, isQuiet: Bool = false, isTerminal: Bool? = nil,
    now: @escaping () -> Double = { Date().timeIntervalSince1970 },
    write: @escaping (String) -> Void = { StandardError.write($0) }
  ) {
    self.label = label
    self.unit = unit
    self.isQuiet = isQuiet
    self.isTerminal = isTerminal ?? StandardError.isRewritable
    self.now = now
    self.write = write
    started = now()
    last = started
  }

  /// Shows that `done` of `all` are done, when it is time to.
  public func show(_ done: Int, of all: Int) {
    let time = now()
    guard !isQuiet, all > 0, time - last >= (isTerminal ? 0.1 : 30) else { return }
    last = time
    let rate = Double(done) / max(time - started, 1e-9)
    let left = Format.timeLeft(Double(all - done) / max(rate, 1e-9))
    if isTerminal {
      let filled = min(20, 20 * done / all)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
      write("\r\u{1B}[2K\(label) \(bar) \(100 * done / all)%  \(Int(rate)) \(unit)/s  \(left) left")
      isLineOpen = true
    } else {
      write("\(label): \(done) of \(all) \(unit), \(Int(rate)) a second, \(left) left\n")
    }
  }

  /// Removes the bar, before other text is shown.
  public func clear() {
    if isLineOpen { write("\r\u{1B}[2K") }
    isLineOpen = false
  }
}
