import Foundation

/// Where a JSON document is wrong, which its decoder does not say: that knows no more than "not valid JSON", even of a document that
/// is valid and has a fraction where a whole number belongs.
package enum JSONFault {
  /// What is wrong with a document that could not be decoded, and where; nil when nothing is found.
  package static func describe(_ data: Data) -> String? {
    do {
      let document = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
      let fractions = fractions(in: document, at: "").prefix(3)
      guard !fractions.isEmpty else { return nil }
      return "a whole number is needed where a fraction stands: one of \(fractions.joined(separator: ", "))"
    } catch {
      guard let reason = (error as NSError).userInfo["NSDebugDescription"] as? String else { return nil }
      return place(of: reason, in: data)
    }
  }

  // "… around character 17." → the line and the column.
  private static func place(of reason: String, in data: Data) -> String {
    let what = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
    guard let range = what.range(of: " around character "), let offset = Int(what[range.upperBound...]) else {
      return "it is no valid JSON: \(what)"
    }
    let before = data.prefix(offset)
    let line = before.count { $0 == 0x0A } + 1
    let column = before.count - (before.lastIndex(of: 0x0A).map { $0 - before.startIndex + 1 } ?? 0) + 1
    return "it is no valid JSON: line \(line), column \(column): \(what[..<range.lowerBound])"
  }

  private static func fractions(in value: Any, at path: String) -> [String] {
    switch value {
    case let object as [String: Any]:
      return object.sorted { $0.key < $1.key }.flatMap {
        fractions(in: $0.value, at: path.isEmpty ? $0.key : "\(path).\($0.key)")
      }
    case let list as [Any]:
      return list.enumerated().flatMap { fractions(in: $1, at: "\(path)[\($0)]") }
    case let number as NSNumber where number.doubleValue != number.doubleValue.rounded():
      return ["\(path) is \(number)"]
    default: return []
    }
  }
}
