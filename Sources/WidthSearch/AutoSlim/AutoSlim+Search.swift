import Methods

extension AutoSlim: WidthSearching {
  /// Searches widths; goes on from a checkpoint when there is one.
  public func search(_ context: SearchContext) throws -> [SearchResult] {
    try validate(context.network, recipe: context.recipe)
    let supernet = try widestNetwork(for: context.network, divisor: context.divisor)
    return try AutoSlimSearch(settings, context, supernet).run()
  }
}
