import Foundation
import Networks
import Records
import Transfer

/// Numbers as people read them.
package enum Text {
  package static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
  package static func percent(_ value: Double) -> String { decimal(value, 2) + " %" }
  package static func amount(_ value: Int) -> String {
    switch value {
    case 1_000_000...: decimal(Double(value) / 1e6, 2) + " M"
    case 1000...: decimal(Double(value) / 1e3, 1) + " k"
    default: "\(value)"
    }
  }

  /// What widths cost, both ways, and the budget.
  package static func cost(_ file: WidthsFile, of budget: Budget) -> String {
    "\(amount(file.macs ?? 0)) MACs, \(amount(file.parameters ?? 0)) parameters "
      + "(budget \(amount(budget.amount)) \(budget.model.unit))"
  }
}
