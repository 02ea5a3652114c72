import Foundation
import Testing

/// Numbers that public code of the methods gave, written by scripts/check-references.
@dynamicMemberLookup struct Reference: @unchecked Sendable {
  // Read once and never changed.
  let value: Any

  static let all = Reference(
    value: (try? Data(
      contentsOf: Bundle.module.bundleURL.appendingPathComponent("Fixtures/references.json"))).flatMap {
        try? JSONSerialization.jsonObject(with: $0)
      } ?? [:])

  subscript(dynamicMember name: String) -> Reference { self[name] }
  subscript(name: String) -> Reference { Reference(value: (value as? [String: Any])?[name] ?? NSNull()) }

  var list: [Reference] { (value as? [Any] ?? []).map(Reference.init) }
  var names: [String] { (value as? [String: Any] ?? [:]).keys.sorted() }
  var number: Double { (value as? NSNumber)?.doubleValue ?? .nan }
  var integer: Int { (value as? NSNumber)?.intValue ?? -1 }
  var text: String { value as? String ?? "" }
  var isTrue: Bool { (value as? NSNumber)?.boolValue ?? false }
  var exists: Bool { !(value is NSNull) }
  var numbers: [Double] { list.map(\.number) }
  var floats: [Float] { list.map { Float($0.number) } }
  var integers: [Int] { list.map(\.integer) }
  var flags: [Bool] { list.map(\.isTrue) }
}

/// Expects two lists of numbers to be equal but for rounding.
func expectClose(
  _ found: [Double], _ expected: [Double], tolerance: Double = 1e-6, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.count == expected.count, "\(what)", sourceLocation: sourceLocation)
  for (a, b) in zip(found, expected) { expectClose(a, b, tolerance: tolerance, what, sourceLocation: sourceLocation) }
}
