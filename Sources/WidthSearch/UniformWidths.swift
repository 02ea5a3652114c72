import Networks
import Training

/// The control: every group keeps its share of the network, scaled to the budget by one multiplier.
public struct UniformWidths: WidthOptimizer {
  /// Creates the control.
  public init() {}

  /// `uniform`.
  public var name: String { "uniform" }
  /// The same for all uses.
  public var identity: String { "uniform" }

  /// Acts on every network.
  public func validate(_ network: Network, recipe: Recipe) throws {}

  /// The network itself.
  public func widestNetwork(for network: Network, divisor: Int) throws -> Network { network }

  /// Returns the network's own widths: scaling to the budget is the FLOPs match that follows every search.
  public func search(_ context: SearchContext) throws -> SearchResult {
    let resolved = try context.network.resolved()
    let channels = Dictionary(
      resolved.widthGroups.map { ($0.id, Double($0.width)) }, uniquingKeysWith: { first, _ in first })
    var cost = SearchCost()
    cost.trainingImages = context.training.imagesPerEpoch
    cost.supernetMACs = try resolved.cost().macs
    return SearchResult(
      channels: channels, macs: Double(cost.supernetMACs), history: [], cost: cost, warnings: [])
  }
}
