import Foundation
import Records
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

/// A difference between results that belong together seed by seed, and whether it says anything.
///
/// The same seed draws the same order of the data and, layer by layer, the same initial weights: what a seed does to both cancels out.
public struct PairedDifference: Sendable, Hashable {
  /// What can be said.
  public enum Verdict: Sendable, Hashable {
    /// There is one pair only, or a few that all differ by the same: no spread is known, so the difference may be chance.
    case unknown
    /// The interval holds 0.
    case withinNoise
    /// The interval lies above 0.
    case higher
    /// The interval lies below 0.
    case lower
  }

  /// The pairs.
  public let count: Int
  /// The mean of value − baseline.
  public let value: Double
  /// The sample standard deviation of the differences; nil for a single pair.
  public let standardDeviation: Double?
  /// The 95 % interval of the mean by Student's t; nil where the verdict is unknown.
  public let interval: ClosedRange<Double>?
  /// What can be said.
  public let verdict: Verdict

  /// Whether there is a single pair.
  var isSingle: Bool { count == 1 }

  /// The pairs that an interval of ± `half` would take if differences went on to lie as far apart; nil where that is not known, or over a thousand.
  public func pairs(forInterval half: Double) -> Int? {
    // Beyond the reach of any run, and not worth a long search.
    guard let standardDeviation, half > 0, standardDeviation < 15 * half else { return nil }
    return (2...1000).first { count in
      StudentT.bound(0.95, degrees: count - 1) * standardDeviation / Double(count).squareRoot() <= half
    }
  }

  /// Takes baselines from values of the same seeds; what has no partner is left out.
  ///
  /// - Returns: nil when no seed has both.
  public init?(_ values: [Int: Double], minus baselines: [Int: Double]) {
    let differences = values.compactMap { seed, value in baselines[seed].map { value - $0 } }.filter(\.isFinite)
    guard let spread = Spread(differences.sorted()) else { return nil }
    count = spread.count
    value = spread.mean
    standardDeviation = spread.standardDeviation
    // Accuracies are counts of images: a few pairs can differ by the same, which says nothing of how far others would lie apart. Without any
    // difference in any of them, they are of one network.
    guard let deviation = spread.standardDeviation, deviation > 1e-9 || abs(spread.mean) < 1e-9 else {
      interval = nil
      verdict = .unknown
      return
    }
    let half = StudentT.bound(0.95, degrees: count - 1) * deviation / Double(count).squareRoot()
    interval = value - half...value + half
    verdict = value - half > 0 ? .higher : value + half < 0 ? .lower : .withinNoise
  }
}

extension ComparisonSummary {
  /// Half of the widest 95 % interval among the differences from the uniform network and of transferred from direct widths; nil as long as
  /// the spread of one of them is not known, or there is none.
  package var widestHalfInterval: Double? {
    let baseline = arms.first { $0.mode == .control && $0.algorithm == "uniform" }
    let fromUniform = arms.filter { $0 != baseline }.compactMap { arm in
      baseline.flatMap { PairedDifference(arm.top1BySeed, minus: $0.top1BySeed) }
    }
    let differences = fromUniform + searchedMethods.compactMap(\.difference)
    let halves = differences.compactMap { $0.interval.map { ($0.upperBound - $0.lowerBound) / 2 } }
    return halves.count == differences.count ? halves.max() : nil
  }
}

extension ComparisonSummary.Arm {
  /// The held-out top-1 accuracy of each seed.
  package var top1BySeed: [Int: Double] {
    Dictionary(members.map { ($0.seed, $0.result.top1) }) { first, _ in first }
  }
}

extension RunSummary.Variant {
  /// The held-out top-1 accuracy of each seed.
  package var top1BySeed: [Int: Double] {
    Dictionary(zip(seeds, results.map(\.top1))) { first, _ in first }
  }
}
