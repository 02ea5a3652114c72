import Networks
import Support

extension WidthMatch {
  /// What to tell a person when the rounded widths miss the budget by more than 1 %.
  ///
  /// - Parameter divisor: What widths are rounded to; at 1 no smaller one can be advised.
  public func remark(divisor: Int) -> String? {
    guard abs(relativeError) > 0.01 else { return nil }
    let verb = model == .macs ? "costs" : model.isTime ? "takes" : "has"
    func words(_ amount: Int) -> String { model.isTime ? model.words(amount) : "\(amount) \(model.unit)" }
    return
      "the nearest network to the budget of \(words(target)) \(verb) \(model.isTime ? words(count) : "\(count)"), \(Format.percent(100 * relativeError, 1, isChange: true))"
      + (divisor > 1 ? ": a smaller `divisor` comes nearer" : ": its widths are whole numbers already")
  }
}
