import Networks

/// AutoSlim: Yu & Huang 2019 (arXiv 1903.11728).
///
/// One slimmable supernet is trained so that its accuracy at any widths stands for that of a network trained at them;
/// then groups are narrowed greedily, from the widest network down to the budget. Departures from the public code: the
/// comparison set is fixed and class-balanced, all groups are candidates (the last convolution too, which the paper on
/// width transfer reports as changed), and ties are broken by rule.
public struct AutoSlim: WidthOptimizer {
  /// The hyperparameters.
  public var settings: AutoSlimSettings

  /// Creates the optimizer.
  public init(_ settings: AutoSlimSettings = .init()) { self.settings = settings }

  /// `autoslim`.
  public static let name = "autoslim"

  /// `width`.
  public var wideningSetting: String? { "width" }

  /// A part of the training images, on which the descent compares widths.
  public var heldOutPart: HeldOutPart? {
    HeldOutPart(
      fraction: settings.heldOutFraction, images: settings.heldOutImages, batchSize: settings.evaluationBatch)
  }

  /// Yes: one descent passes all budgets.
  public var servesSeveralBudgets: Bool { true }

  /// A sixth of the epochs (50 of 300), at a rate that falls to 0 along a line.
  public func searchRecipe(from recipe: Recipe) -> Recipe {
    var search = recipe.scalingEpochs(by: 1.0 / 6)
    search.decay = .linear
    search.finalLearningRate = 0
    return search
  }

  /// Refuses float16 and networks whose front slices are no network of the same kind.
  public func validate(_ network: ResolvedNetwork, recipe: Recipe) throws {
    try settings.validate()
    try Requirements.precision(recipe, name)
    try Requirements.groups(of: network, self)
  }

  /// The supernet.
  public func widestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork {
    try network.widened(by: settings.width, divisor: divisor)
  }

  /// The widest, the narrowest and some random passes; then a descent of half its steps, each of which tries every group, from its own
  /// layer on.
  public func forecast(for network: ResolvedNetwork, divisor: Int) throws -> SearchForecast {
    let widest = try widestNetwork(for: network, divisor: divisor)
    let polynomial = RelaxedCost(widest)
    let widths = widest.widthGroups.reduce(into: [:]) { $0[$1.id] = Double($1.width) }
    let (groups, whole) = (Double(settings.groups), Double(widest.cost.macs))
    func cost(_ part: Double) -> Double { polynomial.evaluate(widths.mapValues { part * $0 }) }
    let searched = Double(widest.widthGroups.count)
    let steps = 0.5 * searched * (groups - 1)
    return SearchForecast(
      perImage: 3 * (whole + cost(1 / groups) + Double(settings.randomPasses) * cost((groups + 1) / (2 * groups))),
      perComparedImage: steps * searched * 0.5 * cost(0.75))
  }
}
