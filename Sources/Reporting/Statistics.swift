import Foundation
import Support

/// The mean of several results and how far they lie apart.
public struct Spread: Sendable, Hashable {
  /// The number of results.
  public let count: Int
  /// Their mean.
  public let mean: Double
  /// Their sample standard deviation (dividing by n − 1); nil for a single result, of which no spread is known.
  public let standardDeviation: Double?

  /// Summarizes `values`; nil when there are none.
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    count = values.count
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    standardDeviation =
      values.count > 1
      ? (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot() : nil
  }
}

extension Format {
  /// Mean and sample standard deviation: `71.23 ± 0.12`; the mean alone when there is one result.
  package static func spread(_ spread: Spread?, _ decimals: Int) -> String {
    guard let spread else { return "–" }
    guard let deviation = spread.standardDeviation else { return fixed(spread.mean, decimals) }
    return fixed(spread.mean, decimals) + "\u{A0}±\u{A0}" + fixed(deviation, decimals)
  }
}

/// A difference of two means, and whether it says anything.
public struct MeanDifference: Sendable, Hashable {
  /// What can be said.
  public enum Verdict: Sendable, Hashable {
    /// One of the two was trained once only: no spread is known, so the difference may be chance.
    case unknown
    /// The difference is no larger than the sum of the two standard deviations.
    case withinNoise
    /// The difference is larger than that, and the value is higher.
    case higher
    /// The difference is larger than that, and the value is lower.
    case lower
  }

  /// The value's mean less the baseline's mean.
  public let value: Double
  /// The sum of the two standard deviations, where both are known.
  public let noise: Double?
  /// What can be said.
  public let verdict: Verdict

  /// Takes the mean of `baseline` from that of `value`.
  public init(_ value: Spread, minus baseline: Spread) {
    let difference = value.mean - baseline.mean
    self.value = difference
    guard let first = value.standardDeviation, let second = baseline.standardDeviation else {
      noise = nil
      verdict = .unknown
      return
    }
    noise = first + second
    verdict = abs(difference) <= first + second ? .withinNoise : difference > 0 ? .higher : .lower
  }
}
