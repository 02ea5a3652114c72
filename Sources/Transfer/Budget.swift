import Networks
import Support

/// The budget of a search: what is counted, and how much of it there may be.
///
/// Users write `1.0x`, relative to the network, or an amount such as `300M`; of time, `5ms`.
public struct Budget: Sendable, Hashable {
  /// As it was written.
  public var text: String
  /// What is counted.
  public var model: CostModel
  /// How much of it the target may have.
  public var amount: Int

  /// Names a budget.
  public init(text: String, amount: Int, in model: CostModel = .macs) {
    self.text = text
    self.model = model
    self.amount = amount
  }

  /// Its name among several: that of its folder, for example `flops-0.5x`.
  public var name: String { "\(model.setting)-\(text)" }

  /// Reads a budget.
  ///
  /// - Throws: `UsageFailure` for other words and for numbers that make no sense.
  public init(parsing text: String, in model: CostModel = .macs, of network: ResolvedNetwork) throws {
    let failure = UsageFailure(
      "`\(model.setting)` \(text): expected a factor such as 1.0x, or "
        + (model.isTime ? "a time such as 5ms, 800us or 0.2s" : "\(model.unit) such as 300M, 1.5G or 40000000"))
    if model.isTime, let nanoseconds = Self.nanoseconds(text) {
      self.init(text: text, amount: nanoseconds, in: model)
      return
    }
    guard let last = text.last else { throw failure }
    let units: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9]
    let number = last.isNumber ? Double(text) : Double(text.dropLast())
    guard let number, number > 0, number.isFinite else { throw failure }
    let amount: Double
    if last == "x" {
      amount = number * Double(model.count(network))
    } else if model.isTime {
      throw failure
    } else if let unit = units[last] {
      amount = number * unit
    } else if last.isNumber {
      amount = number
    } else {
      throw failure
    }
    // The forgotten x: no network has so few of either.
    if last.isNumber, amount < 1000 {
      throw UsageFailure(
        "`\(model.setting)` \(text) is an amount of \(text) \(model.unit); was \(text)x meant, that part of the network's own? Amounts are "
          + "such as 300M, 1.5G or 40000000")
    }
    guard amount >= 1, amount < 1e18 else { throw failure }
    self.init(text: text, amount: Int(amount.rounded()), in: model)
  }

  // A time with its unit; nil for anything else.
  private static func nanoseconds(_ text: String) -> Int? {
    for (unit, factor) in [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)] where text.hasSuffix(unit) {
      guard let number = Double(text.dropLast(unit.count)) else { continue }
      let value = (number * factor).rounded()
      return value >= 1 && value < 1e15 ? Int(value) : nil
    }
    return nil
  }

  /// Reads several budgets.
  ///
  /// - Throws: `UsageFailure` also when two of them are the same.
  public static func parse(
    _ texts: [String], in model: CostModel = .macs, of network: ResolvedNetwork
  ) throws -> [Budget] {
    var budgets: [Budget] = []
    for text in texts {
      let budget = try Budget(parsing: text, in: model, of: network)
      if let same = budgets.first(where: { $0.amount == budget.amount }) {
        throw UsageFailure("`\(model.setting)` \(text) is the same as `\(model.setting)` \(same.text)")
      }
      budgets.append(budget)
    }
    return budgets
  }
}
