import Methods

extension DMCP: WidthSearching {
  /// Searches widths for every budget, one search each; goes on from a checkpoint when there is one.
  public func search(_ context: SearchContext) throws -> [SearchResult] {
    try validate(context.network, recipe: context.recipe)
    let supernet = try widestNetwork(for: context.network, divisor: context.divisor)
    return [try DMCPSearch(settings, context, target: context.singleTarget(name), supernet).run()]
  }
}
