import Networks

extension SearchContext {
  /// One result a budget for widths that cost nothing to find.
  func untrainedResults(_ width: (WidthGroup) -> Double) -> [SearchResult] {
    let channels = Dictionary(
      network.widthGroups.map { ($0.id, width($0)) }, uniquingKeysWith: { first, _ in first })
    var cost = SearchCost()
    cost.scale = scale(supernetMACs: network.cost.macs)
    let macs = RelaxedCost(network).evaluate(channels)
    return targets.map { target in
      SearchResult(
        target: target, channels: channels, macs: macs, history: [], cost: cost, warnings: [])
    }
  }
}
