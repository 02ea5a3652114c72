import Networks
import Support

/// The budget of a search as users write it: `1.0x`, relative to the network, or `300M`, absolute MACs.
public struct Budget: Sendable, Hashable {
  /// As it was written: the name of its folder when there are several.
  public var text: String
  /// Multiply-accumulates of the target.
  public var macs: Int

  /// Names a budget.
  public init(text: String, macs: Int) {
    self.text = text
    self.macs = macs
  }

  /// Reads a budget.
  ///
  /// - Throws: `UsageFailure` for other words and for numbers that make no sense.
  public init(parsing text: String, of network: Network) throws {
    let failure = UsageFailure(
      "--flops \(text): expected a factor such as 1.0x, or MACs such as 300M, 1.5G or 40000000")
    guard let last = text.last else { throw failure }
    let units: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9]
    let number = last.isNumber ? Double(text) : Double(text.dropLast())
    guard let number, number > 0, number.isFinite else { throw failure }
    let own = Double(try network.cost().macs)
    let macs: Double
    if last == "x" {
      macs = number * own
    } else if let unit = units[last] {
      macs = number * unit
    } else if last.isNumber {
      macs = number
    } else {
      throw failure
    }
    guard macs >= 1, macs < 1e18 else { throw failure }
    self.init(text: text, macs: Int(macs.rounded()))
  }

  /// Reads several budgets.
  ///
  /// - Throws: `UsageFailure` also when two of them are the same.
  public static func parse(_ texts: [String], of network: Network) throws -> [Budget] {
    var budgets: [Budget] = []
    for text in texts {
      let budget = try Budget(parsing: text, of: network)
      if let same = budgets.first(where: { $0.macs == budget.macs }) {
        throw UsageFailure("--flops \(text) is the same as --flops \(same.text)")
      }
      budgets.append(budget)
    }
    return budgets
  }
}
