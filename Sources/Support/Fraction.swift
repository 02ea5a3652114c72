/// A part of a whole as people write it.
package enum Fraction {
  /// Reads `20%` and `0.2`; nil for what is no number above 0 and up to 1.
  package static func parse(_ text: String) -> Double? {
    let number = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    guard let number, number > 0, number <= 1 else { return nil }
    return number
  }
}
