import Foundation
import Records

/// Whether the widths of a search have settled: they moved less in the last tenth of its planned steps than some part of the way that they
/// have come since they began to move.
///
/// The way between two moments is the mean over groups of |Δ ln width|. Of six searches with DMCP that stop at a quarter, the widths at the
/// stop correlate with those at the end by 0.98 to 1.00 (docs/results/2026-11-28-searches-that-decide.md).
struct SettledWidths {
  /// The part of the way that they may still have moved.
  var drift: Double
  /// Steps of the whole search.
  var totalSteps: Int
  /// The last step before the widths began to move.
  var start: Int

  /// What is less than this is no way at all: a hundredth of every width.
  static let leastWay = 0.01

  /// Whether the last of some moments is one at which the widths have settled.
  func isSettled(_ history: [WidthsFile.HistoryPoint]) -> Bool {
    guard let last = history.last, let first = history.last(where: { $0.step <= start }) ?? history.first,
      let before = history.last(where: { last.step - $0.step >= totalSteps / 10 }), before.step >= start
    else { return false }
    let way = Self.way(first, last)
    return way >= Self.leastWay && Self.way(before, last) <= drift * way
  }

  static func way(_ one: WidthsFile.HistoryPoint, _ other: WidthsFile.HistoryPoint) -> Double {
    let steps = one.widths.compactMap { group, width in
      other.widths[group].flatMap { width > 0 && $0 > 0 ? abs(log($0 / width)) : nil }
    }
    return steps.isEmpty ? 0 : steps.reduce(0, +) / Double(steps.count)
  }
}
