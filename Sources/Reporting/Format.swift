import Foundation

/// Numbers as the report prints them; the same everywhere, whatever the machine's language.
enum Format {
  private static let prefixes: [(Double, String)] = [
    (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"),
  ]

  // Beyond this a number is no longer exact, and soon no `Int` either; a broken file can hold anything.
  private static let largest = 1e15

  /// Three significant digits and an SI prefix: `41.2 M`. The space does not break.
  static func si(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    for (scale, prefix) in prefixes where abs(value) >= scale { return significant(value / scale) + "\u{A0}" + prefix }
    return significant(value)
  }

  /// About `digits` significant digits, without an exponent.
  static func significant(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return "–" }
    guard value != 0 else { return "0" }
    let whole = Int(log10(abs(value)).rounded(.down)) + 1
    return fixed(value, max(0, digits - whole))
  }

  /// Three significant digits without zeros that say nothing: `0.5`, `20`.
  static func trimmed(_ value: Double) -> String {
    var text = significant(value)
    guard text.contains(".") else { return text }
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  /// A fixed number of decimals, with a proper minus sign.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return "–" }
    return String(format: "%.\(decimals)f", value).replacingOccurrences(of: "-", with: "−")
  }

  /// A number with its sign; `±` where it rounds to zero.
  static func signed(_ value: Double, _ decimals: Int) -> String {
    let size = fixed(abs(value), decimals)
    guard value.isFinite else { return size }
    return (size.allSatisfy { "0.".contains($0) } ? "±" : value > 0 ? "+" : "−") + size
  }

  /// A whole number in groups of three digits.
  static func count(_ value: Int) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "−" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// Mean and sample standard deviation: `71.23 ± 0.12`; the mean alone when there is one result.
  static func spread(_ spread: Spread?, _ decimals: Int) -> String {
    guard let spread else { return "–" }
    guard let deviation = spread.standardDeviation else { return fixed(spread.mean, decimals) }
    return fixed(spread.mean, decimals) + "\u{A0}±\u{A0}" + fixed(deviation, decimals)
  }

  /// A factor: `38.2×`.
  static func factor(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    return (value >= 1000 && value < largest ? count(Int(value.rounded())) : significant(value)) + "×"
  }

  /// A duration in its two largest units.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < largest else { return "–" }
    if seconds < 60 { return significant(seconds, digits: seconds < 10 ? 2 : 3) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    if whole < 86_400 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
    return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
  }

  /// A moment in universal time.
  static func date(_ secondsSince1970: Double) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyy-MM-dd HH:mm 'UTC'"
    return formatter.string(from: Date(timeIntervalSince1970: secondsSince1970))
  }

  /// One of something, or several.
  static func number(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
