import Foundation
import Networks

extension WidthMatch {
  /// What to tell a person when the rounded widths miss the budget by more than 1 %.
  public var remark: String? {
    guard abs(relativeError) > 0.01 else { return nil }
    let percent = String(format: "%+.1f", 100 * relativeError)
    return
      "the nearest network to the budget of \(target) MACs costs \(macs), \(percent) %: a smaller --divisor "
      + "comes nearer"
  }
}
