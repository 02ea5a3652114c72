extension Recipe {
  /// The recipe with fewer epochs, at least one, as a search trains: no average of weights is kept.
  func scalingEpochs(by factor: Double) -> Recipe {
    var result = self
    result.epochs = max(1, Int((factor * Double(epochs)).rounded()))
    result.averagingDecay = nil
    return result
  }
}
