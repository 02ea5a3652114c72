extension ResolvedLayer {
  /// Whether the result has no height and width any more, as after a flattening, for writers that tell `[N, C]` from `[N, C, 1, 1]`.
  ///
  /// - Parameter input: Whether its first input has none.
  package func leavesFlat(_ input: Bool) -> Bool {
    switch layer.operation {
    case .flatten, .linear: true
    case .activation, .dropout, .stochasticDepth, .add, .multiply, .concatenate, .batchNorm: input
    case .convolution, .maxPool, .averagePool, .adaptiveAveragePool, .globalAveragePool, .other: false
    }
  }
}
