extension ResolvedNetwork {
  /// The network as an inference engine computes it: batch normalizations behind convolutions and linear layers are part of these,
  /// which then have a bias.
  ///
  /// Of structure alone: there are no weights here. Dropout is left out, too.
  ///
  /// - Throws: Nothing for a network that resolves.
  public func withoutFoldedNormalizations() throws -> ResolvedNetwork {
    var changed = network
    // The layer whose result stands for that of one that is gone.
    var stands: [String: String] = [:]
    let gone = Set(
      latencySteps.flatMap { step in
        step.layers.dropFirst().filter {
          if case .batchNorm = layers[$0].layer.operation { return true }
          return false
        }
      })
    let names = layers.map(\.layer.name)
    for index in layers.indices {
      let isIdle: Bool
      switch layers[index].layer.operation {
      case .dropout, .stochasticDepth: isIdle = true
      case .convolution, .batchNorm, .activation, .add, .multiply, .concatenate, .maxPool, .averagePool,
        .adaptiveAveragePool, .globalAveragePool, .flatten, .linear, .other:
        isIdle = false
      }
      // The last layer is what the network puts out.
      guard gone.contains(index) || isIdle, index < layers.count - 1 else { continue }
      let source = layers[index].inputIndices[0]
      stands[names[index]] =
        source < 0 ? Network.inputName : stands[names[source]] ?? names[source]
      guard gone.contains(index), source >= 0,
        let producer = changed.layers.firstIndex(where: { $0.name == stands[names[index]] })
      else { continue }
      switch changed.layers[producer].operation {
      case .convolution(var convolution):
        convolution.hasBias = true
        changed.layers[producer].operation = .convolution(convolution)
      case .linear(var linear):
        linear.hasBias = true
        changed.layers[producer].operation = .linear(linear)
      case .batchNorm, .activation, .add, .multiply, .concatenate, .maxPool, .averagePool, .adaptiveAveragePool,
        .globalAveragePool, .flatten, .dropout, .stochasticDepth, .other:
        break
      }
    }
    changed.layers = changed.layers.filter { stands[$0.name] == nil }
      .map { $0.renamed(references: { stands[$0] ?? $0 }) }
    // Nobody makes it deeper any more.
    changed.stages = []
    changed.fixed = []
    changed.tied = []
    return try changed.resolved()
  }
}
