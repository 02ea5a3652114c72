import Foundation
import Networks

extension WidthMatch {
  /// What to tell a person when the rounded widths miss the budget by more than 1 %.
  public var remark: String? {
    guard abs(relativeError) > 0.01 else { return nil }
    let percent = String(format: "%+.1f", 100 * relativeError)
    let verb = model == .macs ? "costs" : "has"
    return
      "the nearest network to the budget of \(target) \(model.unit) \(verb) \(count), \(percent) %: a smaller `divisor` "
      + "comes nearer"
  }
}
