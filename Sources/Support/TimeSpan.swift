/// A length of time as people write it: `90s`, `30m`, `1h30m`, `2d`.
package enum TimeSpan {
  private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]

  /// The seconds of a text; nil for one that is no length of time, or a number without a unit.
  package static func parse(_ text: String) -> Double? {
    var seconds = 0.0
    var rest = Substring(text)
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(digits.count)
      guard let value = Double(digits), let letter = rest.first, let unit = units[letter] else { return nil }
      rest = rest.dropFirst()
      seconds += value * unit
    }
    return seconds > 0 && seconds < 1e9 ? seconds : nil
  }
}
