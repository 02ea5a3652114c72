import Networks

/// The control: every group keeps its share of the network, scaled to the budget by one multiplier.
public struct UniformWidths: WidthOptimizer {
  /// None.
  public struct Settings: SearchSettings {
    /// The only settings.
    public init() {}
    /// Nothing can be wrong.
    public func validate() throws {}
  }

  /// None.
  public var settings: Settings

  /// Creates the control.
  public init(_ settings: Settings = .init()) { self.settings = settings }

  /// `uniform`.
  public static let name = "uniform"
  /// Yes.
  public var isControl: Bool { true }
  /// Yes: one multiplier on all groups.
  public var keepsProportions: Bool { true }
  /// Yes: nothing is searched.
  public var servesSeveralBudgets: Bool { true }
  /// Yes: the FLOPs match brings the widths to any budget.
  public var reachesAnyBudget: Bool { true }
  /// Nothing is trained.
  public func searchRecipe(from recipe: Recipe) -> Recipe { recipe }
  /// Acts on every network.
  public func validate(_ network: ResolvedNetwork, recipe: Recipe) throws {}
  /// The network itself.
  public func widestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork { network }
}
