import Methods

extension MorphNet: WidthSearching {
  /// Searches widths; goes on from a checkpoint when there is one.
  public func search(_ context: SearchContext) throws -> [SearchResult] {
    try validate(context.network, recipe: context.recipe)
    return try MorphNetSearch(settings, context).run()
  }
}
