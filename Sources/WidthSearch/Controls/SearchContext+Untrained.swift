import Networks

extension SearchContext {
  /// One result a budget for widths that cost nothing to find.
  func untrainedResults(_ width: (WidthGroup) -> Double) throws -> [SearchResult] {
    let resolved = try network.resolved()
    let channels = Dictionary(
      resolved.widthGroups.map { ($0.id, width($0)) }, uniquingKeysWith: { first, _ in first })
    var cost = SearchCost()
    cost.scale = try scale(supernetMACs: resolved.cost().macs)
    let macs = try MACPolynomial(resolved).evaluate(channels)
    return targets.map { target in
      SearchResult(
        targetMACs: target, channels: channels, macs: macs, history: [], cost: cost, warnings: [])
    }
  }
}
