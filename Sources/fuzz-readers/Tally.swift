import Foundation

/// Counts what came of the inputs.
final class Tally: @unchecked Sendable {
  // `counts` is touched under `lock` only.
  private let lock = NSLock()
  private var counts: [Reader.Kind: [Outcome: Int]] = [:]

  func add(_ kind: Reader.Kind, _ outcome: Outcome) {
    lock.withLock { counts[kind, default: [:]][outcome, default: 0] += 1 }
  }

  var count: Int { lock.withLock { counts.values.reduce(0) { $0 + $1.values.reduce(0, +) } } }

  /// A line for each kind.
  var text: String {
    lock.withLock {
      Reader.Kind.allCases.compactMap { kind in
        counts[kind].map { "\(kind.rawValue): \($0[.read] ?? 0) read, \($0[.refused] ?? 0) refused" }
      }.joined(separator: "\n")
    }
  }
}
