import Networks
import Support

/// The chains of all width groups of a network, their expected cost and its derivatives.
struct MarkovNetwork {
  let groups: [WidthGroup.ID]
  private(set) var chains: [MarkovWidth]
  private let polynomial: MACPolynomial
  private let targetMACs: Double

  init(_ resolved: ResolvedNetwork, settings: DMCPSettings, targetMACs: Double) throws {
    polynomial = try MACPolynomial(resolved)
    self.targetMACs = targetMACs
    groups = polynomial.groups
    let widths = resolved.widths
    chains = groups.map { id in
      MarkovWidth(
        grid: ChannelGrid(
          channels: widths[id] ?? 1, layout: settings.layout, range: settings.range,
          minimumChannels: settings.minimumChannels), parametrisation: settings.parametrisation)
    }
    if settings.start == .budget { startOnBudget() }
  }

  /// Makes sure that DMCP can act on every group: it weighs channels after a batch normalization, and keeps the front ones.
  func requireSupport(in resolved: ResolvedNetwork) throws {
    for group in groups where resolved.batchNorms(on: group).isEmpty {
      throw UsageFailure(
        "dmcp cannot act on \(resolved.network.name): the channels of \(group) have no batch normalization")
    }
    for group in resolved.widthGroups where group.granularity > 1 {
      throw UsageFailure(
        "dmcp cannot act on \(resolved.network.name): the channels of \(group.id) meet a convolution in groups, whose "
          + "front channels are no convolution in as many groups")
    }
  }

  var alphas: [[Double]] {
    get { chains.map(\.alphas) }
    set { for index in chains.indices { chains[index].alphas = newValue[index] } }
  }

  var narrowest: Widths { widths(chains.map(\.grid.fixed)) }

  /// E[c] by group.
  var expectations: [WidthGroup.ID: Double] {
    Dictionary(zip(groups, chains.map(\.expectation)), uniquingKeysWith: { first, _ in first })
  }

  /// E[FLOPs]: products of expectations, the groups being independent.
  var expectedMACs: Double { polynomial.evaluate(chains.map(\.expectation)) }

  func uniformDraw(_ random: inout SeededGenerator) -> Widths {
    widths(chains.map { $0.grid.boundaries.randomElement(using: &random) ?? $0.grid.channels })
  }

  func directDraw(_ random: inout SeededGenerator) -> Widths { widths(chains.map { $0.sample(using: &random) }) }

  private func widths(_ counts: [Int]) -> Widths {
    Widths(Dictionary(zip(groups, counts), uniquingKeysWith: { first, _ in first }))
  }

  /// One step of Nesterov's momentum on every α, from the task's derivatives for the channel factors and the budget's.
  ///
  /// - Parameter channelGradients: The factors' derivatives, group after group.
  mutating func descend(
    channelGradients: [Float], velocities: inout [[Double]], learningRate: Double, momentum: Double,
    budgetWeight: Double
  ) {
    // The budget loss sees hundredths of the target: E = 100 is on budget for networks of all sizes.
    let unit = 100 / targetMACs
    let slope = budgetWeight * BudgetLoss.relative.derivative(expectedMACs * unit) * unit
    let costs = polynomial.gradient(chains.map(\.expectation))
    var start = channelGradients.startIndex
    for index in chains.indices {
      let chain = chains[index]
      let end = start + chain.grid.channels
      var marginals = chain.marginalGradient(channelFactors: channelGradients[start..<end])
      start = end
      for k in marginals.indices { marginals[k] += slope * costs[index] * Double(chain.grid.groups[k]) }
      let gradient = chain.gradient(marginals: marginals)
      for k in gradient.indices {
        velocities[index][k] = momentum * velocities[index][k] + gradient[k]
        chains[index].alphas[k] -= learningRate * (gradient[k] + momentum * velocities[index][k])
      }
      chains[index].returnToDomain()
    }
  }

  /// Sets all α to the one value at which the expected cost is the budget (or as near as the range allows).
  private mutating func startOnBudget() {
    // Both parametrisations are monotonic in α: bisection.
    var (low, high) = (-20.0, 20.0)
    let rises = chains.first?.parametrisation != .exponential
    for _ in 0..<60 {
      let middle = (low + high) / 2
      for index in chains.indices { chains[index].alphas = chains[index].alphas.map { _ in middle } }
      if (expectedMACs < targetMACs) == rises { low = middle } else { high = middle }
    }
  }
}
