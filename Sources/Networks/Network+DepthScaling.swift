import Support

extension Network {
  /// The network with the number of blocks of each stage multiplied by `factor`, rounded half up, and at least one.
  ///
  /// A stage that has a single block keeps it: MobileNetV2's first and last stage are excluded in the paper, and a block
  /// that changes the resolution cannot be repeated. A growing stage repeats its last block, a shrinking one loses its
  /// last ones. Layers get the names that torchvision would give them at that depth.
  ///
  /// - Throws: ``Support/UsageFailure`` for a factor that is not positive, ``NetworkFailure`` when a stage cannot be changed.
  public func scalingDepth(by factor: Double) throws -> Network {
    guard factor.isFinite, factor > 0, factor <= 1000 else {
      throw UsageFailure("a depth multiplier must be positive and reasonable, not \(factor)")
    }
    return try with(blockCounts: stages.map { Network.scaledBlockCount($0.blocks.count, by: factor) })
  }

  /// The number of blocks of a stage after scaling: (3, 4, 6, 3) × 0.5 is (2, 2, 3, 2).
  static func scaledBlockCount(_ count: Int, by factor: Double) -> Int {
    guard count > 1 else { return count }
    return max(1, Int((Double(count) * factor + 0.5).rounded(.down)))
  }

  /// The network with this many blocks in each stage.
  ///
  /// A stage with a single block can only grow when that block keeps the shape of its input. Of any other, the block that is repeated, and those
  /// that are removed, keep the size of their map.
  ///
  /// - Throws: ``NetworkFailure`` when a stage cannot be changed.
  public func with(blockCounts: [Int]) throws -> Network {
    guard blockCounts.count == stages.count, blockCounts.allSatisfy({ $0 >= 1 }) else {
      throw NetworkFailure("\(blockCounts) is not one positive number of blocks for each of \(stages.count) stages")
    }
    var (changed, whole) = (self, ResolvedNetwork?.none)
    for (stage, count) in blockCounts.enumerated() {
      let present = changed.stages[stage].blocks.count
      if count != present, present > 1 {
        let resolved = try whole ?? resolved()
        whole = resolved
        try checkKeepsMaps(stage, from: min(count, present - 1), in: resolved)
      }
      if count < present { try changed.removeBlocks(of: stage, from: count) }
      if count > present {
        if present == 1 { try changed.checkIsRepeatable(stages[stage].blocks[0].name, stage: stage) }
        try changed.repeatLastBlock(of: stage, times: count - present)
      }
    }
    changed.renewStochasticDepth(like: self)
    return changed
  }

  /// A block that changes resolution or channels, if repeated, would do so again.
  private func checkIsRepeatable(_ original: String, stage: Int) throws {
    let (input, output) = try interface(of: stages[stage].blocks[0])
    let resolved = try resolved()
    let before = resolved[input]?.output ?? self.input
    guard let after = resolved[output]?.output, before == after else {
      throw NetworkFailure(
        "stage \(stages[stage].name) has one block, \(original), which changes the shape of its input and cannot be "
          + "repeated")
    }
  }

  /// Without a pool that lies in a block, or with a second one, all that follows would see maps of another size.
  private func checkKeepsMaps(_ stage: Int, from first: Int, in resolved: ResolvedNetwork) throws {
    let blocks = stages[stage].blocks
    let (before, after) = (
      try interface(of: blocks[first - 1]).output, try interface(of: blocks[blocks.count - 1]).output
    )
    guard let one = resolved[before]?.output, let other = resolved[after]?.output,
      (one.height, one.width) != (other.height, other.width)
    else { return }
    throw NetworkFailure(
      "stage \(stages[stage].name) cannot be made deeper or shallower: its last blocks, from \(blocks[first].name) on, change the size of the map "
        + "from \(one.height)×\(one.width) to \(other.height)×\(other.width). Let them end before the layer that does")
  }

  private mutating func removeBlocks(of stage: Int, from first: Int) throws {
    let removed = stages[stage].blocks[first...]
    let names = SequentialNames(stage: stages[stage])
    let output = try interface(of: stages[stage].blocks[stages[stage].blocks.count - 1]).output
    let kept = try interface(of: stages[stage].blocks[first - 1]).output
    let gone = Set(removed.flatMap(\.layers))
    let losing = fixed.intersection(gone)
    if !losing.isEmpty {
      // What is fixed stays fixed where other layers have the same channels.
      let whole = try resolved().unfixed
      let groups = Set(losing.flatMap { whole[$0]?.outputSegments.compactMap(\.group) ?? [] })
      fixed.formUnion(
        whole.widthGroups.filter { groups.contains($0.id) }.compactMap { $0.layers.first { !gone.contains($0) } })
    }
    if tied.contains(where: { !gone.isDisjoint(with: $0) }) {
      // What is tied stays tied, by another layer of the same channels.
      var loose = self
      loose.tied = []
      let whole = try loose.resolved().unfixed
      let groups = Dictionary(whole.widthGroups.map { ($0.id, $0.layers) }, uniquingKeysWith: { first, _ in first })
      tied = tied.map { list in
        list.map { name in
          guard gone.contains(name), let group = whole[name]?.outputSegments.first?.group else { return name }
          return groups[group]?.first { !gone.contains($0) } ?? name
        }
      }
    }
    layers.removeAll { gone.contains($0.name) }
    fixed.subtract(gone)
    tied = tied.map { $0.filter { !gone.contains($0) } }.filter { $0.count > 1 }
    stages[stage].blocks.removeSubrange(first...)
    rename { $0 == output ? kept : $0 }
    if let names { rename(names.shift(behind: removed, by: -names.childCount(removed))) }
  }

  private mutating func repeatLastBlock(of stage: Int, times: Int) throws {
    guard let last = stages[stage].blocks.last else { return }
    let (input, output) = try interface(of: last)
    let names = SequentialNames(stage: stages[stage])
    let step = names?.childCount([last]) ?? 0
    guard let end = layers.lastIndex(where: { last.layers.contains($0.name) }) else { return }
    if let names { rename(names.shift(behind: [last], by: times * step)) }
    let template = layers.filter { last.layers.contains($0.name) }
    var feeding = output
    var copies: [Layer] = []
    var blocks: [Block] = []
    for copy in 1...times {
      let inside = Set(last.layers)
      func rename(_ name: String) -> String {
        if name == input { return feeding }
        guard inside.contains(name) else { return name }
        return names?.moved(name, by: copy * step) ?? "\(name).copy\(copy)"
      }
      copies += template.map { $0.renamed(rename) }
      fixed.formUnion(last.layers.filter(fixed.contains).map(rename))
      for list in tied.indices { tied[list] += tied[list].filter(inside.contains).map(rename) }
      blocks.append(
        Block(
          name: names?.moved(last.name, by: copy * step) ?? "\(last.name).copy\(copy)",
          layers: last.layers.map(rename)))
      feeding = rename(output)
    }
    let inside = Set(last.layers)
    // Whatever read the last block reads the last copy from now on.
    for index in layers.indices where !inside.contains(layers[index].name) {
      layers[index] = layers[index].renamed(references: { $0 == output ? feeding : $0 })
    }
    layers.insert(contentsOf: copies, at: end + 1)
    stages[stage].blocks += blocks
  }

  /// The one layer outside that a block reads, and the one layer of it that the outside reads.
  private func interface(of block: Block) throws -> (input: String, output: String) {
    let inside = Set(block.layers)
    var inputs: [String] = []
    var outputs: [String] = []
    func note(_ name: String, in list: inout [String]) { if !list.contains(name) { list.append(name) } }
    for layer in layers {
      for reference in layer.references {
        switch (inside.contains(layer.name), inside.contains(reference)) {
        case (true, false): note(reference, in: &inputs)
        case (false, true): note(reference, in: &outputs)
        default: break
        }
      }
    }
    if let last = layers.last?.name, inside.contains(last) { note(last, in: &outputs) }
    guard inputs.count == 1, outputs.count == 1 else {
      throw NetworkFailure(
        "block \(block.name) reads \(inputs.count) layers outside of it and puts out \(outputs.count); only a block with "
          + "one input and one output can be removed or repeated")
    }
    return (inputs[0], outputs[0])
  }

  private mutating func rename(_ transform: (String) -> String) {
    for index in layers.indices { layers[index] = layers[index].renamed(transform) }
    fixed = Set(fixed.map(transform))
    tied = tied.map { $0.map(transform) }
    for stage in stages.indices {
      stages[stage].name = transform(stages[stage].name)
      for block in stages[stage].blocks.indices {
        stages[stage].blocks[block].name = transform(stages[stage].blocks[block].name)
        stages[stage].blocks[block].layers = stages[stage].blocks[block].layers.map(transform)
      }
    }
  }
}

extension Layer {
  /// Every layer that this one depends on: its inputs and the source of derived channels.
  var references: [String] {
    if case .convolution(let convolution) = operation, let rule = convolution.derivedChannels {
      return inputs + [rule.source]
    }
    return inputs
  }

  func renamed(_ transform: (String) -> String) -> Layer {
    var layer = renamed(references: transform)
    layer.name = transform(name)
    return layer
  }

  /// The layer with other names of what it reads, be it as input or for the number of its channels.
  package func renamed(references transform: (String) -> String) -> Layer {
    var layer = self
    layer.inputs = inputs.map(transform)
    if case .convolution(var convolution) = operation, let rule = convolution.derivedChannels {
      convolution.derivedChannels = .init(source: transform(rule.source), divisor: rule.divisor)
      layer.operation = .convolution(convolution)
    }
    return layer
  }
}
