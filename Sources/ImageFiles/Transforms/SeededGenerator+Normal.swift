import Foundation
import Support

extension SeededGenerator {
  /// A number from the standard normal distribution (Box and Muller, "A Note on the Generation of Random Normal Deviates",
  /// 1958), made of two uniform ones.
  ///
  /// The second number that the method would give is left, so that a generator has no more state than its bits.
  mutating func nextNormal() -> Double {
    // From (0, 1], for the logarithm.
    let radius = (-2 * log(1 - nextUnit())).squareRoot()
    return radius * cos(2 * .pi * nextUnit())
  }
}
