import Networks
import Support

/// The chains of all width groups of a network, their expected cost and its derivatives.
package struct MarkovNetwork {
  package let groups: [WidthGroup.ID]
  package private(set) var chains: [MarkovWidth]
  /// How many channels of each group stay or go together.
  package let granularities: [Int]
  /// What the budget is set on.
  private let polynomial: RelaxedCost
  private let macs: RelaxedCost
  private let target: Double

  /// Chains for the groups of a supernet.
  ///
  /// - Parameters:
  ///   - source: The widths of the network that is searched, of which the chains start as a multiple; nil for those of the supernet, whose
  ///     rounding would be a first step that no image has asked for.
  package init(
    _ resolved: ResolvedNetwork, settings: DMCPSettings, target: Double, from source: Widths? = nil,
    in model: CostModel = .macs
  ) {
    polynomial = RelaxedCost(resolved, model)
    macs = model == .macs ? polynomial : RelaxedCost(resolved)
    self.target = target
    groups = polynomial.groups
    let widthGroups = Dictionary(uniqueKeysWithValues: resolved.widthGroups.map { ($0.id, $0) })
    let granularities = groups.map { widthGroups[$0]?.granularity ?? 1 }
    self.granularities = granularities
    chains = zip(groups, granularities).map { id, granularity in
      MarkovWidth(
        grid: ChannelGrid(
          channels: widthGroups[id]?.width ?? 1, layout: settings.layout, range: settings.range,
          minimumChannels: settings.minimumChannels, granularity: granularity),
        parametrisation: settings.parametrisation, window: settings.rampWindow)
    }
    if settings.start == .budget { startOnBudget(source) }
  }

  package var alphas: [[Double]] {
    get { chains.map(\.alphas) }
    set { for index in chains.indices { chains[index].alphas = newValue[index] } }
  }

  /// Over how many groups a ramp falls.
  package var window: Double {
    get { chains.first?.window ?? 1 }
    set { for index in chains.indices { chains[index].window = newValue } }
  }

  /// The mean over groups of the standard deviation of the width, relative to the expected width.
  package var spread: Double {
    let relative = chains.map { $0.standardDeviation / $0.expectation }
    return relative.reduce(0, +) / Double(max(1, relative.count))
  }

  package var narrowest: Widths { widths(chains.map(\.grid.fixed)) }

  /// E[c] by group.
  package var expectations: [WidthGroup.ID: Double] {
    Dictionary(zip(groups, chains.map(\.expectation)), uniquingKeysWith: { first, _ in first })
  }

  /// The expected cost in the budget's unit: products of expectations, the groups being independent.
  package var expectedCost: Double { polynomial.evaluate(chains.map(\.expectation)) }

  /// E[FLOPs], as ``expectedCost``.
  package var expectedMACs: Double { macs.evaluate(chains.map(\.expectation)) }

  package func uniformDraw(_ random: inout SeededGenerator) -> Widths {
    widths(
      chains.map { chain in
        let boundaries = chain.grid.boundaries
        return boundaries[random.nextInt(below: boundaries.count)]
      })
  }

  package func directDraw(_ random: inout SeededGenerator) -> Widths {
    widths(chains.map { $0.sample(using: &random) })
  }

  private func widths(_ counts: [Int]) -> Widths {
    Widths(Dictionary(zip(groups, counts), uniquingKeysWith: { first, _ in first }))
  }

  /// One step of Nesterov's momentum on every α, from the task's derivatives for the channel factors and the budget's.
  ///
  /// - Parameter channelGradients: The factors' derivatives, group after group.
  package mutating func descend(
    channelGradients: [Float], velocities: inout [[Double]], learningRate: Double, momentum: Double,
    budgetWeight: Double
  ) {
    // The budget loss sees hundredths of the target: E = 100 is on budget for networks of all sizes.
    let unit = 100 / target
    let slope = budgetWeight * BudgetLoss.relative.derivative(expectedCost * unit) * unit
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

  /// Sets every chain's α to the one value at which the network is a uniformly scaled one on the budget.
  ///
  /// One α for all chains would not be: small groups have fewer steps, so the same α leaves them relatively wider, and the
  /// search would begin with a bias towards early layers.
  private mutating func startOnBudget(_ source: Widths?) {
    let widths = zip(groups, chains).map { Double(source?[$0] ?? $1.grid.channels) }
    let scale = polynomial.scale(matching: target, widths: widths) ?? 1
    for index in chains.indices { chains[index].start(at: scale * widths[index]) }
  }
}
