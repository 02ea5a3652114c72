import Networks

/// Differentiable Markov channel pruning: Guo et al., CVPR 2020 (arXiv 2005.03354).
///
/// Widths are chains of keep-probabilities, trained by gradient on a network whose channels are weighted by their
/// probability of being kept. Departures from the official code, with reasons, in ``DMCPSettings``; defects of that
/// code are not reproduced. Sub-networks run on slices of the weights, so a step costs what its passes cost;
/// only the architecture pass runs the full width, as the method asks.
public struct DMCP: WidthOptimizer {
  /// The hyperparameters.
  public var settings: DMCPSettings

  /// Creates the optimizer.
  public init(_ settings: DMCPSettings = .init()) { self.settings = settings }

  /// `dmcp`.
  public static let name = "dmcp"

  /// `range.maximum`.
  public var wideningSetting: String? { "range.maximum" }

  /// `range.minimum`.
  public var narrowingSetting: String? { "range.minimum" }

  /// 0.4 of the epochs; the rate ends at 0.16 of its peak, as the official 0.5 → 0.08, because weights
  /// must go on following the widths.
  public func searchRecipe(from recipe: Recipe) -> Recipe {
    var search = recipe.scalingEpochs(by: 0.4)
    search.finalLearningRate = 0.16 * search.learningRate
    // Steps know no final rate: they would all but stop the weights where the widths begin to move.
    if search.decay == .step { search.decay = .cosine }
    return search
  }

  /// None: channels that no batch normalization follows are weighed where they come from.
  public func kept(of network: ResolvedNetwork) -> PerGroup<String> { [:] }

  /// Refuses float16, which would need its loss scaled, and networks with a group that it cannot act on.
  public func validate(_ network: ResolvedNetwork, recipe: Recipe) throws {
    try settings.validate()
    try Requirements.precision(recipe, name)
    try Requirements.groups(of: network, self)
  }

  /// The supernet, whose front slices are searched: the network widened to the range's maximum.
  public func widestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork {
    try network.widened(by: settings.range.maximum, divisor: divisor)
  }

  /// Every group at the beginning of its chain.
  public func narrowestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork? {
    let widest = try widestNetwork(for: network, divisor: divisor)
    return try widest.with(MarkovNetwork(widest, settings: settings, target: 1).narrowest)
  }

  /// The widest, the narrowest and some random passes, and in the second stage a forward and half a backward pass of the widest.
  public func forecast(for network: ResolvedNetwork, divisor: Int) throws -> SearchForecast {
    let widest = try widestNetwork(for: network, divisor: divisor)
    let chains = MarkovNetwork(
      widest, settings: settings, target: Double(network.cost.macs), from: network.widths)
    let polynomial = RelaxedCost(widest)
    let narrowest = polynomial.evaluate(chains.narrowest.values.mapValues(Double.init))
    // Groups are drawn independently of each other, so that the mean cost is that of mean widths.
    let random = polynomial.evaluate(chains.chains.map(\.grid.mean))
    let whole = Double(widest.cost.macs)
    return SearchForecast(
      perImage: 3 * (whole + narrowest + Double(settings.randomPasses) * random)
        + 2 * (1 - settings.warmUpFraction) * whole)
  }
}
