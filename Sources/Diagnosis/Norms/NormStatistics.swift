/// How unequal the channels of a group are.
public struct NormStatistics: Hashable, Codable, Sendable {
  /// V: the unbiased variance of `u(i)` over its mean, the squared coefficient of variation.
  public var variance: Double
  /// The unbiased variance of `u(i)` itself.
  public var rawVariance: Double
  /// The mean of `u(i)`.
  public var mean: Double
  /// The largest `u(i)`.
  public var maximum: Double
  /// The smallest `u(i)`.
  public var minimum: Double
  /// Gini's coefficient: 0 when all channels are alike, towards 1 when one has everything.
  public var gini: Double
  /// The share of the sum that the largest tenth of the channels has.
  public var topTenthShare: Double

  private enum CodingKeys: String, CodingKey {
    case variance = "var"
    case rawVariance = "varRaw"
    case mean
    case maximum = "max"
    case minimum = "min"
    case gini
    case topTenthShare = "top10"
  }

  /// Sums up the channels; nil for a single channel, a mean of 0, or numbers that are not finite: there is no variance then.
  public init?(_ values: [Double]) {
    let count = Double(values.count)
    guard values.count > 1, values.allSatisfy(\.isFinite) else { return nil }
    let sum = values.reduce(0, +)
    let mean = sum / count
    guard mean.isFinite, mean > 0 else { return nil }
    let squares = values.reduce(0) { $0 + ($1 / mean - 1) * ($1 / mean - 1) }
    variance = squares / (count - 1)
    rawVariance = variance * mean * mean
    self.mean = mean
    let sorted = values.sorted()
    maximum = sorted[sorted.count - 1]
    minimum = sorted[0]
    gini = sorted.enumerated().reduce(0) { $0 + (2 * Double($1.offset + 1) - count - 1) * $1.element } / (count * sum)
    topTenthShare = sorted.suffix((values.count + 9) / 10).reduce(0, +) / sum
    guard rawVariance.isFinite else { return nil }
  }
}
