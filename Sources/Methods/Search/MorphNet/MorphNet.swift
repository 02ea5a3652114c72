import Networks

/// Shrink and expand: Gordon et al., CVPR 2018 (arXiv 1711.06798).
///
/// Training under an L1 norm of the batch-norm scales that is weighted by cost lets channels die where they cost much and
/// bring little; the rest is widened by one multiplier until it costs the budget. Prune-then-grow: the network itself is
/// searched, no wider one.
public struct MorphNet: WidthOptimizer {
  /// The hyperparameters.
  public var settings: MorphNetSettings

  /// Creates the optimizer.
  public init(_ settings: MorphNetSettings = .init()) { self.settings = settings }

  /// `morphnet`.
  public static let name = "morphnet"

  /// Yes: what survives the shrinking is widened to any budget.
  public var servesSeveralBudgets: Bool { true }
  /// Yes: what survives is widened.
  public var reachesAnyBudget: Bool { true }

  /// Half of the epochs for each round, at a constant rate, without decay of the scales.
  public func searchRecipe(from recipe: Recipe) -> Recipe {
    var search = recipe.scalingEpochs(by: 0.5)
    search.decay = .constant
    search.normWeightDecay = 0
    return search
  }

  /// Groups that no batch normalization follows.
  public func kept(of network: ResolvedNetwork) -> PerGroup<String> {
    Requirements.unnormalized(in: network, because: "its scales are what is regularized")
  }

  /// Refuses float16 and networks with a group that no batch normalization follows.
  public func validate(_ network: ResolvedNetwork, recipe: Recipe) throws {
    try settings.validate()
    try Requirements.precision(recipe, name)
    try Requirements.groups(of: network, self)
  }

  /// The network itself.
  public func widestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork { network }

  /// A pass forward and back through the network in each round, which keeps its channels until the round's end.
  public func forecast(for network: ResolvedNetwork, divisor: Int) throws -> SearchForecast {
    SearchForecast(perImage: 3 * Double(settings.rounds) * Double(network.cost.macs))
  }
}
