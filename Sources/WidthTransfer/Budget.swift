import Networks
import Support

/// The budget of a search as users write it: `1.0x`, relative to the network, or `300M`, absolute MACs.
public enum Budget {
  /// Reads a budget.
  ///
  /// - Throws: `UsageFailure` for other words and for numbers that make no sense.
  public static func macs(_ text: String, of network: Network) throws -> Int {
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
    return Int(macs.rounded())
  }
}
