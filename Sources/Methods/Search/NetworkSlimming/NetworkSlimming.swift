import Networks

/// Network slimming as the NS-xw-ye baseline: Liu et al., ICCV 2017 (arXiv 1708.06519), and section 4.7 of the
/// width-transfer paper.
///
/// A network x times as wide is trained for y epochs under an L1 norm of its batch-norm scales; then the channels with the
/// smallest scales, over all layers, are dropped until the rest costs the budget. Departures from the original: tied
/// channels are ranked once, by the mean of their scales, so that residual streams are pruned too; and no layer vanishes.
public struct NetworkSlimming: WidthOptimizer {
  /// The hyperparameters.
  public var settings: NetworkSlimmingSettings

  /// Creates the optimizer.
  public init(_ settings: NetworkSlimmingSettings = .init()) { self.settings = settings }

  /// `network-slimming`.
  public static let name = "network-slimming"

  /// `width`.
  public var wideningSetting: String? { "width" }

  /// Yes: a training of y epochs of the same shape.
  public var compressesSchedule: Bool { true }

  /// Yes: one ranking is cut at any budget.
  public var servesSeveralBudgets: Bool { true }

  /// 0.3 of the epochs, on the same schedule, without decay of the scales, on which the L1 norm acts already.
  public func searchRecipe(from recipe: Recipe) -> Recipe {
    var search = recipe.scalingEpochs(by: 0.3)
    if settings.sparsity > 0 { search.normWeightDecay = 0 }
    return search
  }

  /// Groups that no batch normalization follows.
  public func kept(of network: ResolvedNetwork) -> PerGroup<String> {
    Requirements.unnormalized(in: network, because: "its scales are what is ranked")
  }

  /// Refuses float16 and networks with a group that no batch normalization follows.
  public func validate(_ network: ResolvedNetwork, recipe: Recipe) throws {
    try settings.validate()
    try Requirements.precision(recipe, name)
    try Requirements.groups(of: network, self)
  }

  /// The network that is pruned.
  public func widestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork {
    try network.widened(by: settings.width, divisor: divisor)
  }
}
