import Networks

/// What a network costs at widths that fall channel by channel, also between the multiples that a grouped convolution can have.
struct AnyWidthCost {
  private let exact: CostCounter
  // Where whole channels of a group are rounded down, whatever is dropped looks too cheap.
  private let between: RelaxedCost?

  init(_ network: ResolvedNetwork, _ model: CostModel = .macs) {
    exact = CostCounter(network, model)
    between = network.widthGroups.contains { $0.granularity > 1 } ? RelaxedCost(network, model) : nil
  }

  /// The cost at these widths, given in the order of the network's groups.
  func count(_ widths: [Int]) -> Int {
    guard let between else { return exact.count(widths) }
    return Int(exactly: between.evaluate(widths.map(Double.init)).rounded()) ?? Int.max
  }
}
