import Networks
import Records
import Support
import Transfer

extension WidthsFile {
  /// What the widths cost, both ways, and the budget, in words.
  package func costs(of budget: Budget) -> String {
    "\(Format.amount(macs ?? 0)) MACs, \(Format.amount(parameters ?? 0)) parameters"
      + (latency.map { ", \(Format.milliseconds($0)) predicted" } ?? "") + " "
      + "(budget \(budget.model.words(budget.amount)))"
  }
}
