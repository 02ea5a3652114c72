import Foundation

/// Numbers as people read them.
package enum Text {
  package static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
  package static func percent(_ value: Double) -> String { decimal(value, 2) + " %" }
  package static func millions(_ value: Int) -> String { decimal(Double(value) / 1e6, 2) + " M" }
}
