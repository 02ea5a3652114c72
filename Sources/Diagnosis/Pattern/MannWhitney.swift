#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Mann and Whitney's test of whether one sample tends to be larger than another, two-sided, with mean ranks for equal values.
public struct MannWhitney: Codable, Hashable, Sendable {
  /// Pairs in which the first sample's value is the larger one; equal ones count half.
  public var u: Double
  /// The chance of a U as far from its mean when both samples are of one distribution: over all divisions of the values where these are few, else by
  /// the normal approximation with correction for ties and continuity.
  public var p: Double

  private static let mostDivisions = 200_000.0

  /// Compares two samples.
  ///
  /// - Returns: nil when one is empty.
  public init?(_ first: [Double], _ second: [Double]) {
    guard !first.isEmpty, !second.isEmpty else { return nil }
    let (n, m) = (first.count, second.count)
    let ranks = Diagnosis.ranks(first + second)
    let least = Double(n * (n + 1)) / 2
    u = ranks.prefix(n).reduce(0, +) - least
    let mean = Double(n * m) / 2
    let distance = abs(u - mean)
    let divisions = (0..<min(n, m)).reduce(1.0) { $0 * Double(n + m - $1) / Double($1 + 1) }
    if divisions <= Self.mostDivisions {
      // Ways to choose n of the ranks by their doubled sum: a small table instead of a list of all ways.
      let doubled = ranks.map { Int((2 * $0).rounded()) }
      let largest = doubled.reduce(0, +)
      var ways = Array(repeating: Array(repeating: 0.0, count: largest + 1), count: n + 1)
      ways[0][0] = 1
      for rank in doubled {
        for chosen in stride(from: n - 1, through: 0, by: -1) {
          for sum in stride(from: largest - rank, through: 0, by: -1) where ways[chosen][sum] > 0 {
            ways[chosen + 1][sum + rank] += ways[chosen][sum]
          }
        }
      }
      let far = ways[n].indices.reduce(0.0) { total, sum in
        abs(Double(sum) / 2 - least - mean) >= distance - 1e-9 ? total + ways[n][sum] : total
      }
      p = min(1, far / divisions)
    } else {
      let total = Double(n + m)
      var counts: [Double: Double] = [:]
      for rank in ranks { counts[rank, default: 0] += 1 }
      let ties = counts.values.reduce(0) { $0 + ($1 * $1 * $1 - $1) }
      let variance = Double(n * m) / 12 * (total + 1 - ties / (total * (total - 1)))
      p = variance > 0 ? min(1, erfc(max(0, distance - 0.5) / (2 * variance).squareRoot())) : 1
    }
  }
}
