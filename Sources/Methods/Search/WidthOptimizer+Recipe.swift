extension WidthOptimizer {
  /// How the search trains weights, with a user's wishes over what suits the method.
  ///
  /// - Parameters:
  ///   - recipe: How the network is trained in the end.
  ///   - epochs: Epochs of the search; nil for the method's part of the recipe's.
  ///   - learningRate: The search's learning rate; nil for the recipe's.
  /// - Throws: `UsageFailure` when the values make no sense together.
  public func searchRecipe(from recipe: Recipe, epochs: Int?, learningRate: Double?) throws -> Recipe {
    var base = recipe
    if let learningRate { base.learningRate = learningRate }
    var search = searchRecipe(from: base)
    search.name += ", search"
    if let epochs { search.epochs = epochs }
    if compressesSchedule { search.warmUpEpochs *= min(1, Double(search.epochs) / Double(max(1, recipe.epochs))) }
    try search.validate()
    return search
  }
}
