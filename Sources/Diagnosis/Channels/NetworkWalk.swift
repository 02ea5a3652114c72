import Networks

/// Ways through the graph of a network that the diagnosis asks for.
struct NetworkWalk {
  let network: ResolvedNetwork
  /// The positions of the layers that read each layer.
  let readers: [[Int]]

  init(_ network: ResolvedNetwork) {
    self.network = network
    var readers = Array(repeating: [Int](), count: network.layers.count)
    for (index, layer) in network.layers.enumerated() {
      for source in Set(layer.inputIndices) where source >= 0 { readers[source].append(index) }
    }
    self.readers = readers
  }

  /// Whether a layer holds weights that mix or filter channels.
  func isWeighted(_ index: Int) -> Bool {
    network.layers[index].layer.operation.definition.parameters.contains { $0.role == .weight }
  }

  private func isNorm(_ index: Int) -> Bool {
    if case .batchNorm = network.layers[index].layer.operation { return true }
    return false
  }

  private func isProduct(_ index: Int) -> Bool {
    if case .multiply = network.layers[index].layer.operation { return true }
    return false
  }

  private func isAddition(_ index: Int) -> Bool {
    if case .add = network.layers[index].layer.operation { return true }
    return false
  }

  /// The layers that project a shortcut: added, through nothing but a normalization, to a longer way from the same place.
  func projections() -> Set<Int> {
    var found: Set<Int> = []
    for index in network.layers.indices where isAddition(index) {
      let ends = network.layers[index].inputIndices.map(weightedEnd)
      for (position, end) in ends.enumerated() {
        guard let end, let start = network.layers[end].inputIndices.first.map(beforePooling) else { continue }
        let others = ends.indices.filter { $0 != position }
        let isShorter = others.allSatisfy { other in
          guard let longer = ends[other], let before = network.layers[longer].inputIndices.first else { return false }
          return before != start && reaches(before, start, around: end)
        }
        if !others.isEmpty, isShorter { found.insert(end) }
      }
    }
    return found
  }

  // Where a shortcut begins that makes its map smaller first, as ResNet-D's do.
  private func beforePooling(_ index: Int) -> Int {
    var index = index
    while index >= 0 {
      switch network.layers[index].layer.operation {
      case .averagePool, .maxPool, .adaptiveAveragePool: index = network.layers[index].inputIndices[0]
      default: return index
      }
    }
    return index
  }

  // The weighted layer behind which nothing but normalizations, and a gate on its channels, lead to `index`.
  private func weightedEnd(_ index: Int) -> Int? {
    var index = index
    while index >= 0, isNorm(index) || isProduct(index) { index = network.layers[index].inputIndices[0] }
    return index >= 0 && isWeighted(index) ? index : nil
  }

  // Around the layer itself: two linear blocks in a row are added too, and are no shortcut.
  private func reaches(_ from: Int, _ target: Int, around obstacle: Int) -> Bool {
    var waiting = [from]
    var seen: Set<Int> = [from, obstacle]
    while let index = waiting.popLast() {
      if index == target { return true }
      // Layers stand after what they read.
      guard index > target, index >= 0 else { continue }
      for source in network.layers[index].inputIndices where seen.insert(source).inserted { waiting.append(source) }
    }
    return false
  }

  /// The weighted layers that read what a layer puts out directly: through normalizations, activations and pooling, and through the
  /// addition that the layer itself ends in, but not past one behind an activation or beside another reader, where it is the way around
  /// another block, and the sum is another layer's channel too.
  func directReaders(of index: Int) -> [Int] {
    var found: [Int] = []
    var waiting = [(index, false, false)]
    var seen: Set<Int> = []
    while let (place, isActivated, isAdded) = waiting.popLast() {
      for reader in readers[place] where seen.insert(reader).inserted {
        if isWeighted(reader) {
          found.append(reader)
        } else if isAddition(reader) {
          if !isActivated, !isAdded, readers[place].count == 1 { waiting.append((reader, false, true)) }
        } else {
          let isActivation = network.layers[reader].layer.operation.isActivation
          waiting.append((reader, isActivated || isActivation, isAdded))
        }
      }
    }
    return found.sorted()
  }
}
