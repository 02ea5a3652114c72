import Methods

extension NetworkSlimming: WidthSearching {
  /// Searches widths; goes on from a checkpoint when there is one.
  public func search(_ context: SearchContext) throws -> [SearchResult] {
    try validate(context.network, recipe: context.recipe)
    let wide = try widestNetwork(for: context.network, divisor: context.divisor)
    return try NetworkSlimmingSearch(settings, context, wide).run()
  }
}
