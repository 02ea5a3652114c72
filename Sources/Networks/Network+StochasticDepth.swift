extension Network {
  /// Renews the probabilities of stochastic depth after the number of blocks changed.
  ///
  /// Torchvision raises them linearly: block `i` of `n` has `p · i / n`, and `p` is read off the original network here.
  /// Probabilities that do not follow this rule stay.
  mutating func renewStochasticDepth(like original: Network) {
    guard let final = original.finalStochasticDepth else { return }
    let blocks = stages.flatMap(\.blocks)
    var positions: [String: Int] = [:]
    for (position, block) in blocks.enumerated() {
      for name in block.layers { positions[name] = position }
    }
    for index in layers.indices {
      guard case .stochasticDepth = layers[index].operation, let position = positions[layers[index].name] else {
        continue
      }
      let probability = final * Double(position) / Double(blocks.count)
      layers[index].operation = .stochasticDepth(StochasticDepth(probability: probability))
    }
  }

  /// The probability that the linear rule approaches at its end; nil when there is no such rule.
  private var finalStochasticDepth: Double? {
    let blocks = stages.flatMap(\.blocks)
    var probabilities: [String: Double] = [:]
    for layer in layers {
      if case .stochasticDepth(let depth) = layer.operation { probabilities[layer.name] = depth.probability }
    }
    var final: Double?
    for (position, block) in blocks.enumerated() {
      for name in block.layers {
        guard let probability = probabilities[name] else { continue }
        guard position > 0 else {
          if probability != 0 { return nil }
          continue
        }
        let here = probability * Double(blocks.count) / Double(position)
        if let final, abs(here - final) > 1e-9 { return nil }
        final = final ?? here
      }
    }
    return final
  }
}
