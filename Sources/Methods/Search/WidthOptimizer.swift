import Networks

/// A search for better channel counts: 𝒜 in the notation of the width-transfer paper.
///
/// An optimizer sees width groups and never the structure of the network, so it cannot produce widths that do not fit.
public protocol WidthOptimizer: Sendable {
  /// The hyperparameters.
  associatedtype Settings: SearchSettings
  /// The hyperparameters.
  var settings: Settings { get }
  /// Creates the optimizer.
  init(_ settings: Settings)
  /// The name on the command line.
  static var name: String { get }
  /// The training images that the search keeps from the training of weights, to compare widths on; nil for none.
  var heldOutPart: HeldOutPart? { get }
  /// Whether one search finds the widths for several budgets.
  var servesSeveralBudgets: Bool { get }
  /// Whether nothing is searched: a control, which others are measured by.
  var isControl: Bool { get }
  /// Whether what it finds is the network in its own proportions, so that at the network's own cost it is the network itself.
  var keepsProportions: Bool { get }
  /// The setting that widens the network which is pruned, for advice when a budget lies beyond it; nil when there is none.
  var wideningSetting: String? { get }
  /// The setting that lets it find narrower networks, for advice when a budget lies below the narrowest; nil when there is none.
  var narrowingSetting: String? { get }
  /// Whether a search of fewer epochs than the training has all of its schedule shortened, the warm-up too.
  var compressesSchedule: Bool { get }
  /// Whether budgets beyond the widest network of the search make sense: not where all is found by pruning that network.
  var reachesAnyBudget: Bool { get }
  /// How the search trains weights, made from how the network is trained in the end: epochs and schedule.
  func searchRecipe(from recipe: Recipe) -> Recipe
  /// The groups that the method cannot act on, each with the reason: whoever searches fixes them first.
  func kept(of network: ResolvedNetwork) -> PerGroup<String>
  /// Makes sure that the method can act on a network, before any training.
  ///
  /// - Throws: `UsageFailure` that names the layer or setting at fault.
  func validate(_ network: ResolvedNetwork, recipe: Recipe) throws
  /// The widest network that the search would run for a network: the scale of what a search costs.
  func widestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork

  /// The narrowest network that its settings let it find; nil where they set no limit of their own.
  func narrowestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork?
  /// What a search is expected to spend, before it is made: an estimate, where widths are drawn or fall on the way.
  func forecast(for network: ResolvedNetwork, divisor: Int) throws -> SearchForecast
}

extension WidthOptimizer {
  /// The name on the command line.
  public var name: String { Self.name }
  /// None.
  public var heldOutPart: HeldOutPart? { nil }
  /// None: it acts on all.
  public func kept(of network: ResolvedNetwork) -> PerGroup<String> { [:] }
  /// No: it searches.
  public var isControl: Bool { false }
  /// No: the warm-up is as long as the training's.
  public var compressesSchedule: Bool { false }
  /// No: it moves channels between layers.
  public var keepsProportions: Bool { false }
  /// None.
  public var wideningSetting: String? { nil }

  /// None.
  public var narrowingSetting: String? { nil }

  /// None.
  public func narrowestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork? { nil }
  /// No: a search a budget.
  public var servesSeveralBudgets: Bool { false }
  /// A pass forward and back through the widest network.
  public func forecast(for network: ResolvedNetwork, divisor: Int) throws -> SearchForecast {
    SearchForecast(perImage: 3 * Double(try widestNetwork(for: network, divisor: divisor).cost.macs))
  }
  /// No: the widest network is pruned.
  public var reachesAnyBudget: Bool { false }
}
