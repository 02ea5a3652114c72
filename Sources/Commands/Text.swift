import Foundation
import Networks
import Records
import Transfer

/// Numbers as people read them.
package enum Text {
  package static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
  package static func percent(_ value: Double) -> String { decimal(value, 2) + " %" }
  package static func millions(_ value: Int) -> String { decimal(Double(value) / 1e6, 2) + " M" }

  /// What widths cost, both ways, and the budget.
  package static func cost(_ file: WidthsFile, of budget: Budget) -> String {
    "\(millions(file.macs ?? 0)) MACs, \(millions(file.parameters ?? 0)) parameters "
      + "(budget \(millions(budget.amount)) \(budget.model.unit))"
  }
}
