extension ResolvedLayer {
  /// Whether the result has no height and width any more, as after a flattening, for writers that tell `[N, C]` from `[N, C, 1, 1]`.
  ///
  /// - Parameter inputs: Whether its inputs have none. Where some have, the others are seen as maps of one place.
  package func leavesFlat(_ inputs: [Bool]) -> Bool {
    switch layer.operation {
    case .flatten, .linear: true
    case .activation, .dropout, .stochasticDepth, .add, .multiply, .concatenate, .batchNorm:
      inputs.allSatisfy { $0 } && !inputs.isEmpty
    case .other(let other) where other.isElementwise: inputs.allSatisfy { $0 } && !inputs.isEmpty
    case .convolution, .maxPool, .averagePool, .adaptiveAveragePool, .globalAveragePool, .other: false
    }
  }

  /// Whether an input without height and width must be made a map of one place: the layer knows maps alone, or reads a map beside it.
  package func needsMaps(_ inputs: [Bool]) -> Bool {
    switch layer.operation {
    case .other(let other) where other.isElementwise: inputs.contains(true) && inputs.contains(false)
    case .other, .convolution, .maxPool, .averagePool, .adaptiveAveragePool, .globalAveragePool: inputs.contains(true)
    case .flatten, .linear, .activation, .dropout, .stochasticDepth, .add, .multiply, .concatenate, .batchNorm:
      inputs.contains(true) && inputs.contains(false)
    }
  }
}
