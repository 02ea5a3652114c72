import Support

/// One pass over the layers of a network: shapes, channel variables and the ties between them.
struct Resolver {
  let network: Network
  var indices: [String: Int] = [:]
  var inputIndices: [[Int]] = []
  var outputs: [Shape] = []
  var segments: [[Segment]] = []
  var ties = ChannelTies()
  var isRead: [Bool] = []
  private var parameterNames: Set<String> = []
  var costs: [Cost] = []
  private var segmentCount = 0
  var total = Cost()

  /// Channels of one variable, before variables have become groups.
  struct Segment {
    var variable: Int
    var channels: Int
    /// Entries of one channel side by side: 1, or rows × columns after a flatten of feature maps.
    var positions = 1
  }

  init(_ network: Network) { self.network = network }

  mutating func resolve() throws -> ResolvedNetwork {
    try checkInput()
    let count = network.layers.count
    indices.reserveCapacity(count)
    inputIndices.reserveCapacity(count)
    outputs.reserveCapacity(count)
    segments.reserveCapacity(count)
    isRead = Array(repeating: false, count: count)
    let image = [
      Segment(
        variable: ties.makeVariable(.fixed, channels: network.input.channels), channels: network.input.channels)
    ]
    for (index, layer) in network.layers.enumerated() {
      try visit(layer, at: index, image: image)
    }
    try tieWhatIsStated()
    ties.flatten()
    ties.settle(segments)
    try checkOutput()
    var groups = widthGroups()
    let all = groups.list
    try setAside(fixedOf: &groups)
    return ResolvedNetwork(
      network: network, layers: resolvedLayers(groups: groups.byVariable), widthGroups: groups.list,
      allGroups: all, cost: total, indices: indices)
  }

  private mutating func tieWhatIsStated() throws {
    for names in network.tied {
      var first: (name: String, segment: Segment)?
      for name in names {
        guard let index = indices[name] else {
          let near = nearestNames(to: name, in: indices.keys)
          throw NetworkFailure(
            "\(name) is to be tied to another, but there is no such layer; nearest: \(near.joined(separator: ", "))")
        }
        guard segments[index].count == 1, let segment = segments[index].first else {
          throw NetworkFailure(
            layer: name, "it puts out channels of several layers, and cannot be tied; tie those layers")
        }
        guard let (other, known) = first else {
          first = (name, segment)
          continue
        }
        guard known.channels == segment.channels else {
          throw NetworkFailure(
            layer: name,
            "it has \(segment.channels) channels and is to be tied to \(other), which has \(known.channels)")
        }
        try ties.merge(known.variable, segment.variable, by: network.layers[index])
      }
    }
  }

  /// Channels that are to stay as they are belong to no group, as those of the classifier. A layer that makes none, such as an addition,
  /// stands for what it puts out.
  private func setAside(fixedOf groups: inout Groups) throws {
    guard !network.fixed.isEmpty else { return }
    for name in network.fixed.sorted() where indices[name] == nil {
      let near = nearestNames(to: name, in: indices.keys)
      throw NetworkFailure(
        "\(name) is to be fixed, but there is no such layer; nearest: \(near.joined(separator: ", "))")
    }
    let named = network.fixed.compactMap { indices[$0] }.flatMap { segments[$0] }
    let gone = Set(named.compactMap { groups.byVariable[ties.root($0.variable)] })
    groups.list.removeAll { gone.contains($0.id) }
    groups.byVariable = groups.byVariable.filter { !gone.contains($0.value) }
  }

  private func checkInput() throws {
    let input = network.input
    guard (1...Limits.channels).contains(input.channels), (1...Limits.side).contains(input.height),
      (1...Limits.side).contains(input.width)
    else { throw NetworkFailure("the input shape \(input) must have positive, reasonable sizes") }
    guard !network.layers.isEmpty else { throw NetworkFailure("the network has no layers") }
  }

  private mutating func visit(_ layer: Layer, at index: Int, image: [Segment]) throws {
    guard !layer.name.isEmpty, layer.name != Network.inputName else {
      throw NetworkFailure(layer: "number \(index)", "its name is empty or \"\(Network.inputName)\", the image's")
    }
    var inputs: [Int] = []
    inputs.reserveCapacity(layer.inputs.count)
    for name in layer.inputs {
      if name == Network.inputName {
        inputs.append(-1)
      } else if let source = indices[name] {
        isRead[source] = true
        inputs.append(source)
      } else {
        throw missing(name, readBy: layer)
      }
    }
    guard indices.updateValue(index, forKey: layer.name) == nil else {
      throw NetworkFailure(layer: layer.name, "there are two layers of this name")
    }
    let shapes = inputs.map { $0 < 0 ? network.input : outputs[$0] }
    let sources = inputs.map { $0 < 0 ? image : segments[$0] }
    let output = try OperationSite.output(of: layer, inputs: shapes)
    if case .produces(_, let rule?) = layer.operation.definition.channels {
      try check(output.channels, follow: rule, in: layer)
    }
    try add(try Cost(of: layer, inputs: shapes, output: output), of: layer)
    try takeNames(of: layer)
    inputIndices.append(inputs)
    outputs.append(output)
    segments.append(try ties.propagate(layer, at: index, inputs: sources, shapes: shapes, output: output))
    segmentCount += segments[index].count
    guard segmentCount <= Limits.segments else { throw ChannelTies.tooManyParts(layer) }
  }

  // Names of a state dict, which two layers could share: `a` with `b.weight`, and `a.b` with `weight`.
  private mutating func takeNames(of layer: Layer) throws {
    var names = layer.operation.definition.parameters.map { $0.name(in: layer.name) }
    if case .batchNorm = layer.operation {
      names += ["running_mean", "running_var", "num_batches_tracked"].map { "\(layer.name).\($0)" }
    }
    for name in names where !parameterNames.insert(name).inserted {
      throw NetworkFailure(
        layer: layer.name, "its parameter would be called \(name), as another's is; give one of the layers another name"
      )
    }
  }

  private mutating func add(_ cost: Cost, of layer: Layer) throws {
    let checked = Checked(layer: layer.name)
    total.macs = try checked.sum(total.macs, cost.macs)
    total.parameters = try checked.sum(total.parameters, cost.parameters)
    total.activations = try checked.sum(total.activations, cost.activations)
    costs.append(cost)
  }

  private func missing(_ name: String, readBy layer: Layer) -> NetworkFailure {
    if name == layer.name { return NetworkFailure(layer: layer.name, "it reads its own output") }
    if network.layers.contains(where: { $0.name == name }) {
      return NetworkFailure(
        layer: layer.name, "it reads \(name), which comes later; list layers in order of computation")
    }
    let near = nearestNames(to: name, in: indices.keys)
    let hint = near.isEmpty ? "" : "; nearest: \(near.joined(separator: ", "))"
    return NetworkFailure(layer: layer.name, "it reads \(name), which is no layer of this network\(hint)")
  }

  private func check(_ channels: Int, follow rule: Convolution.DerivedChannels, in layer: Layer) throws {
    let source: Int
    if rule.source == Network.inputName {
      source = network.input.channels
    } else if let index = indices[rule.source], index < outputs.count {
      source = outputs[index].channels
      guard !segments[index].contains(where: { ties.kind($0.variable) == .derived }) else {
        throw NetworkFailure(layer: layer.name, "its channels are derived from \(rule.source), itself derived")
      }
    } else {
      throw NetworkFailure(
        layer: layer.name, "its channels are derived from \(rule.source), which is no earlier layer of this network")
    }
    guard rule.divisor >= 1 else {
      throw NetworkFailure(layer: layer.name, "the divisor of its derived channels is \(rule.divisor), not positive")
    }
    let expected = rule.channels(ofSource: source)
    guard channels == expected else {
      throw NetworkFailure(
        layer: layer.name,
        "it has \(channels) channels, but max(1, \(source) / \(rule.divisor)) of \(rule.source) is "
          + "\(expected)")
    }
  }

  private mutating func checkOutput() throws {
    let unread = isRead.indices.filter { !isRead[$0] }
    guard unread == [network.layers.count - 1] else {
      let names = unread.dropLast(unread.last == network.layers.count - 1 ? 1 : 0).map { network.layers[$0].name }
      throw NetworkFailure(
        layer: names.first, "its output is read by no layer, and it is not the last one: a network has one output")
    }
    // The sizes of what leaves the network (the classes) are not for a width optimizer to change.
    for segment in segments[network.layers.count - 1] { ties.fix(segment.variable) }
    try checkStages()
  }

  private func checkStages() throws {
    var seen: Set<String> = []
    for stage in network.stages {
      guard !stage.blocks.isEmpty else { throw NetworkFailure("stage \(stage.name) has no blocks") }
      for block in stage.blocks {
        guard !block.layers.isEmpty else { throw NetworkFailure("block \(block.name) has no layers") }
        for name in block.layers {
          guard indices[name] != nil else {
            throw NetworkFailure(layer: name, "block \(block.name) lists it, but there is no such layer")
          }
          guard seen.insert(name).inserted else {
            throw NetworkFailure(layer: name, "it is in two blocks, or twice in block \(block.name)")
          }
        }
      }
    }
  }

  private func resolvedLayers(groups: [Int: WidthGroup.ID]) -> [ResolvedLayer] {
    network.layers.indices.map { index in
      ResolvedLayer(
        layer: network.layers[index], inputIndices: inputIndices[index],
        inputs: inputIndices[index].map { $0 < 0 ? network.input : outputs[$0] }, output: outputs[index],
        outputSegments: segments[index].map {
          let (positions, divisor) = ties.entries(of: $0)
          return ChannelSegment(
            group: groups[ties.root($0.variable)], channels: $0.channels, positions: positions, divisor: divisor)
        }, cost: costs[index])
    }
  }
}
