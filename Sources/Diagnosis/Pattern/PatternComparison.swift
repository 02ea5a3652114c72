#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How far two diagnoses of corresponding groups agree, as of a projected network and the full one.
public struct PatternComparison: Codable, Hashable, Sendable {
  /// Groups that both have.
  public var groups: Int
  /// The share of them with equal patterns.
  public var agreement: Double
  /// Cohen's κ over all patterns: 0 for what chance would give, 1 for full agreement; nil where both have one and the same pattern.
  public var kappa: Double?
  /// Spearman's rank correlation of D, over the groups where both have one; nil for fewer than three.
  public var dropCorrelation: Double?

  /// Compares the patterns and D of corresponding groups.
  ///
  /// - Precondition: At least one pair.
  public init(_ pairs: [(first: (WidthPattern, Double?), second: (WidthPattern, Double?))]) {
    precondition(!pairs.isEmpty, "nothing to compare")
    let count = Double(pairs.count)
    groups = pairs.count
    let alike = Double(pairs.count { $0.first.0 == $0.second.0 }) / count
    agreement = alike
    let byChance = WidthPattern.allCases.reduce(0.0) { sum, pattern in
      sum + Double(pairs.count { $0.first.0 == pattern }) / count
        * (Double(pairs.count { $0.second.0 == pattern }) / count)
    }
    kappa = byChance < 1 ? (alike - byChance) / (1 - byChance) : nil
    let drops = pairs.compactMap { pair in pair.first.1.flatMap { first in pair.second.1.map { (first, $0) } } }
    dropCorrelation = rankCorrelation(drops.map(\.0), drops.map(\.1))
  }
}

/// Spearman's ρ, with mean ranks for equal values; nil for fewer than three pairs or values that are all equal.
public func rankCorrelation(_ x: [Double], _ y: [Double]) -> Double? {
  guard x.count == y.count, x.count >= 3 else { return nil }
  return correlation(ranks(x), ranks(y))
}

/// Pearson's r; nil for fewer than two pairs or values that are all equal.
public func correlation(_ x: [Double], _ y: [Double]) -> Double? {
  guard x.count == y.count, x.count >= 2 else { return nil }
  let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
  let products = zip(x, y).reduce(into: (xy: 0.0, xx: 0.0, yy: 0.0)) { sums, pair in
    let (dx, dy) = (pair.0 - meanX, pair.1 - meanY)
    sums = (sums.xy + dx * dy, sums.xx + dx * dx, sums.yy + dy * dy)
  }
  guard products.xx > 0, products.yy > 0 else { return nil }
  return min(1, max(-1, products.xy / sqrt(products.xx * products.yy)))
}

package func ranks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = Array(repeating: 0.0, count: values.count)
  var start = 0
  while start < order.count {
    var end = start
    while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
    for place in start...end { ranks[order[place]] = Double(start + end) / 2 + 1 }
    start = end + 1
  }
  return ranks
}
