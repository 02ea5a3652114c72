#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Student's t distribution.
package enum StudentT {
  /// The chance of a value between −t and t with so many degrees of freedom.
  package static func coverage(_ t: Double, degrees: Double) -> Double {
    1 - incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
  }

  /// The t of an interval that holds a part of all values, for example 0.95, in the middle.
  ///
  /// - Precondition: `part` from 0 to below 1, at least one degree of freedom.
  package static func bound(_ part: Double, degrees: Int) -> Double {
    precondition((0..<1).contains(part) && degrees >= 1, "no t for \(part) of \(degrees) degrees")
    var (low, high) = (0.0, 1.0)
    while coverage(high, degrees: Double(degrees)) < part { high *= 2 }
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if coverage(middle, degrees: Double(degrees)) < part { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The regularized incomplete beta function Iₓ(a, b), by its continued fraction (Lentz's method).
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges fast on this side.
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    let logOfBeta: Double = lgamma(a) + lgamma(b) - lgamma(a + b)
    let front: Double = exp(a * log(x) + b * log(1 - x) - logOfBeta) / a
    let tiny = 1e-300
    var c = 1.0
    var d: Double = 1 - (a + b) * x / (a + 1)
    d = 1 / (abs(d) < tiny ? tiny : d)
    var fraction = d
    for m in 1...500 {
      let m = Double(m)
      let even: Double = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      let odd: Double = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      for numerator in [even, odd] {
        d = 1 + numerator * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + numerator / c
        if abs(c) < tiny { c = tiny }
        fraction *= c * d
      }
      if abs(c * d - 1) < 1e-15 { break }
    }
    return front * fraction
  }
}
