import Networks
import Support

extension WidthMatch {
  /// What to tell a person when the rounded widths miss the budget by more than 1 %.
  ///
  /// - Parameter divisor: What widths are rounded to; at 1 no smaller one can be advised.
  public func remark(divisor: Int) -> String? {
    guard abs(relativeError) > 0.01 else { return nil }
    let verb = model == .macs ? "costs" : "has"
    return
      "the nearest network to the budget of \(target) \(model.unit) \(verb) \(count), \(Format.percent(100 * relativeError, 1, isChange: true))"
      + (divisor > 1 ? ": a smaller `divisor` comes nearer" : ": its widths are whole numbers already")
  }
}
