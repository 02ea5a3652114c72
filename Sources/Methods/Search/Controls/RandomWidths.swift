import Networks

/// The control: a random network of the same cost, a uniformly drawn point of the space that DMCP and AutoSlim search.
public struct RandomWidths: WidthOptimizer {
  /// What is drawn from.
  public struct Settings: SearchSettings {
    /// Every group draws its multiplier uniformly from here; the step is not used.
    public var range: WidthRange

    /// The range of the searches.
    public init() { range = WidthRange() }

    /// Makes sure that the range is one.
    public func validate() throws { try range.validate(for: RandomWidths.name) }
  }

  /// What is drawn from.
  public var settings: Settings

  /// Creates the control.
  public init(_ settings: Settings = .init()) { self.settings = settings }

  /// `random`.
  public static let name = "random"
  /// Yes.
  public var isControl: Bool { true }
  /// Yes: nothing is searched, and all budgets share the multipliers.
  public var servesSeveralBudgets: Bool { true }
  /// Yes: the FLOPs match brings the widths to any budget.
  public var reachesAnyBudget: Bool { true }
  /// Nothing is trained.
  public func searchRecipe(from recipe: Recipe) -> Recipe { recipe }
  /// Acts on every network.
  public func validate(_ network: ResolvedNetwork, recipe: Recipe) throws { try settings.validate() }
  /// The network itself.
  public func widestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork { network }
}
