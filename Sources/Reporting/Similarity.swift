/// How alike two vectors of widths are.
public enum Similarity {
  /// Pearson's correlation of two vectors, −1…1; nil when it is not defined: for less than two values, for vectors of
  /// different lengths, or when one of them is constant.
  public static func pearson(_ first: [Double], _ second: [Double]) -> Double? {
    guard let first = deviations(first), let second = deviations(second) else { return nil }
    return cosine(first, second)
  }

  /// The cosine of the angle between two vectors, −1…1; nil when it is not defined: for vectors of different lengths,
  /// or when one of them is zero.
  public static func cosine(_ first: [Double], _ second: [Double]) -> Double? {
    guard first.count == second.count, let first = scaled(first), let second = scaled(second) else { return nil }
    let product = zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
    let lengths = (squares(first) * squares(second)).squareRoot()
    return max(-1, min(1, product / lengths))
  }

  private static func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }

  // With a largest magnitude of 1, no square overflows and not all of them vanish.
  private static func scaled(_ values: [Double]) -> [Double]? {
    guard values.allSatisfy(\.isFinite), let largest = values.map(\.magnitude).max(), largest > 0 else { return nil }
    return values.map { $0 / largest }
  }

  // A constant's deviations are rounding errors, which must not pass for a pattern.
  private static func deviations(_ values: [Double]) -> [Double]? {
    guard let values = scaled(values) else { return nil }
    let mean = values.reduce(0, +) / Double(values.count)
    let deviations = values.map { $0 - mean }
    return deviations.contains { $0.magnitude > 1e-12 } ? deviations : nil
  }
}
