import Foundation

/// Numbers as people read them; the same everywhere, whatever the machine's language.
///
/// Documents take ``si(_:)``, ``fixed(_:_:)`` and what is made of them, with a proper minus sign and spaces that do not break.
/// Lines on a terminal and messages take ``amount(_:)``, ``decimal(_:_:)`` and ``percent(_:_:)``, which hold nothing but ASCII, so
/// that they can be searched and cut.
package enum Format {
  private static let prefixes: [(Double, String)] = [
    (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"),
  ]

  // Beyond this a number is no longer exact, and soon no `Int` either; a broken file can hold anything.
  private static let largest = 1e15

  /// Three significant digits and an SI prefix: `41.2 M`. The space does not break.
  package static func si(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    for (scale, prefix) in prefixes where abs(value) >= scale { return significant(value / scale) + "\u{A0}" + prefix }
    return significant(value)
  }

  /// About `digits` significant digits, without an exponent.
  package static func significant(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return "–" }
    guard value != 0 else { return "0" }
    let whole = Int(log10(abs(value)).rounded(.down)) + 1
    return fixed(value, max(0, digits - whole))
  }

  /// Three significant digits without zeros that say nothing: `0.5`, `20`.
  package static func trimmed(_ value: Double) -> String {
    var text = significant(value)
    guard text.contains(".") else { return text }
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  /// A fixed number of decimals, with a proper minus sign.
  package static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return "–" }
    return decimal(value, decimals).replacingOccurrences(of: "-", with: "−")
  }

  /// A number with its sign; `±` where it rounds to zero.
  package static func signed(_ value: Double, _ decimals: Int) -> String {
    let size = fixed(abs(value), decimals)
    guard value.isFinite else { return size }
    return (size.allSatisfy { "0.".contains($0) } ? "±" : value > 0 ? "+" : "−") + size
  }

  /// A whole number in groups of three digits.
  package static func count(_ value: Int) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "−" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// A factor: `38.2×`.
  package static func factor(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    return (value >= 1000 && value < largest ? count(Int(value.rounded())) : significant(value)) + "×"
  }

  /// A duration in its two largest units.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < largest else { return "–" }
    if seconds < 60 { return significant(seconds, digits: seconds < 10 ? 2 : 3) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    if whole < 86_400 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
    return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
  }

  /// A duration that is an estimate, in its largest unit: `about 3 min` is as much as it can claim.
  package static func roughly(_ seconds: Double) -> String {
    func whole(_ value: Double) -> String {
      value >= 0.95 ? "\(Int(value.rounded()))" : significant(value, digits: 1)
    }
    let units = [(60, "s", "s"), (60, "min", "min"), (24, "h", "h"), (365, "day", "days")]
    var value = seconds
    for (next, one, several) in units {
      let text = whole(value)
      if value < Double(next) { return "\(text) \(text == "1" ? one : several)" }
      value /= Double(next)
    }
    let text = whole(value)
    return "\(text) \(text == "1" ? "year" : "years")"
  }

  /// A moment in universal time.
  package static func date(_ secondsSince1970: Double) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyy-MM-dd HH:mm 'UTC'"
    return formatter.string(from: Date(timeIntervalSince1970: secondsSince1970))
  }

  /// One of something, or several.
  package static func number(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

  // MARK: For terminals and messages

  /// Names one after the other, the first few of many: `a, b, c and 7 more`.
  package static func list(_ names: [String], most: Int) -> String {
    let rest = names.count - most
    return names.prefix(most).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  /// A fixed number of decimals in ASCII.
  package static func decimal(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

  /// A number of percent in ASCII, `93.10 %`; with its sign, `+1.2 %`, where it is a change.
  package static func percent(_ value: Double, _ decimals: Int = 2, isChange: Bool = false) -> String {
    (isChange && value >= 0 ? "+" : "") + decimal(value, decimals) + " %"
  }

  /// A count with an SI prefix in ASCII, as in `41.23 M`; a small one as it is.
  package static func amount(_ value: Int) -> String {
    switch value {
    case 1_000_000_000...: decimal(Double(value) / 1e9, 2) + " G"
    case 1_000_000...: decimal(Double(value) / 1e6, 2) + " M"
    case 1000...: decimal(Double(value) / 1e3, 1) + " k"
    default: "\(value)"
    }
  }

  /// A short time: `3.21 ms`, `845 µs`.
  package static func milliseconds(_ seconds: Double) -> String {
    seconds < 0.001 ? decimal(seconds * 1e6, 0) + " µs" : decimal(seconds * 1e3, seconds < 0.1 ? 2 : 0) + " ms"
  }

  /// Bytes in megabytes, small files to the kilobyte: `12.3 MB`.
  package static func megabytes(_ bytes: Int) -> String {
    decimal(Double(bytes) / 1e6, bytes < 100_000 ? 3 : 1) + " MB"
  }

  /// The time that is left, in its two largest units: `3 min 05 s`.
  package static func timeLeft(_ seconds: Double) -> String {
    // A rate of almost nothing gives a time that no `Int` holds.
    let whole = Int(min(max(seconds, 0), 3.6e8).rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return whole < 60
      ? "\(whole) s"
      : whole < 3600 ? "\(whole / 60) min \(two(whole % 60)) s" : "\(whole / 3600) h \(two(whole / 60 % 60)) min"
  }
}
