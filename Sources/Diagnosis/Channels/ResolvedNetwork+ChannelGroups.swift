import Networks

extension ResolvedNetwork {
  /// The width groups with the weights of their channels, in network order; channels of a fixed number are left out.
  ///
  /// The groups are those of ``Networks/ResolvedNetwork/allGroups``; a depthwise filter counts once, as incoming.
  public var channelGroups: [ChannelGroup] { ChannelSlices(self).groups() }

  /// Every layer that puts out the channels of a width group with other layers, with the rows of that layer and, as one, the columns
  /// of the layers that read it directly: the unit of figures which count every convolution. [reconstructed]
  public var channelLayers: [ChannelGroup] { ChannelSlices(self).layers() }

  /// The numbers that figures give the convolutions, from 1 in network order; projections of shortcuts and the bottlenecks of
  /// squeeze-excite are not counted.
  public var layerNumbers: [String: Int] { ChannelSlices(self).numbers }

  /// The groups in the order in which streamlining mends widths: by stage, in each the residual stream first.
  public var streamliningOrder: [WidthGroup] {
    let last = network.stages.count
    return widthGroups.enumerated().map { offset, group in
      let stage = group.stage ?? (group.role.hasPrefix("stem") ? -1 : last)
      let isStream = group.block == nil && group.role.hasPrefix("out")
      return (key: (stage, isStream ? 0 : 1, offset), group: group)
    }.sorted { $0.key < $1.key }.map(\.group)
  }
}

/// Finds the slices of all weights that belong to each group.
private struct ChannelSlices {
  let network: ResolvedNetwork
  let walk: NetworkWalk
  let projections: Set<Int>
  let numbers: [String: Int]
  /// Groups of which only what puts their channels out can be told channel by channel.
  let mixed: Set<WidthGroup.ID>

  init(_ network: ResolvedNetwork) {
    self.network = network
    walk = NetworkWalk(network)
    projections = walk.projections()
    mixed = network.mixedGroups
    var numbers: [String: Int] = [:]
    let squeezes = Set(network.layers.indices.filter { Self.isDerived(network.layers[$0]) })
    for (index, layer) in network.layers.enumerated() {
      guard case .convolution = layer.layer.operation, !projections.contains(index) else { continue }
      let reads = network.layers[index].inputIndices.contains { Self.source($0, in: network, among: squeezes) }
      if !squeezes.contains(index), !reads { numbers[layer.layer.name] = numbers.count + 1 }
    }
    self.numbers = numbers
  }

  private static func isDerived(_ layer: ResolvedLayer) -> Bool {
    if case .produces(_, .some) = layer.layer.operation.definition.channels { return true }
    return false
  }

  // Whether a squeeze stands before `index`, with nothing but activations between.
  private static func source(_ index: Int, in network: ResolvedNetwork, among squeezes: Set<Int>) -> Bool {
    var index = index
    while index >= 0 {
      if squeezes.contains(index) { return true }
      guard network.layers[index].layer.operation.isActivation else { return false }
      index = network.layers[index].inputIndices[0]
    }
    return false
  }

  /// The slices of one layer's weights, each with the group that it belongs to; nil stands for channels of no group.
  func slices(of index: Int) -> [(group: WidthGroup.ID?, slice: ChannelSlice)] {
    let layer = network.layers[index]
    var result: [(WidthGroup.ID?, ChannelSlice)] = []
    for form in layer.layer.operation.definition.parameters where form.role == .weight && form.dimensions.count > 1 {
      let name = form.name(in: layer.layer.name)
      for (axis, dimension) in form.dimensions.enumerated() {
        let segments: [ChannelSegment]
        var blocks = 1
        let side: ChannelSlice.Side
        switch dimension {
        case .output: (segments, side) = (layer.outputSegments, .incoming)
        case .input(let divisor): (segments, side, blocks) = (network.inputSegments(of: index)[0], .outgoing, divisor)
        case .fixed: continue
        }
        var offset = 0
        for segment in segments {
          defer { offset += segment.channels }
          if let group = segment.group, mixed.contains(group),
            side == .outgoing || segment.divisor > 1 || segment.positions > 1
          {
            continue
          }
          result.append(
            (
              segment.group,
              ChannelSlice(
                tensor: name, axis: axis, offset: offset, positions: segment.positions, blocks: blocks, side: side,
                isProjection: projections.contains(index))
            ))
        }
      }
    }
    return result
  }

  func groups() -> [ChannelGroup] {
    var byGroup: [WidthGroup.ID: [ChannelSlice]] = [:]
    for index in network.layers.indices {
      for (group, slice) in slices(of: index) { if let group { byGroup[group, default: []].append(slice) } }
    }
    return network.allGroups.map { group in
      ChannelGroup(
        id: group.id, numbers: group.layers.compactMap { numbers[$0] }, width: group.width,
        slices: byGroup[group.id] ?? [])
    }
  }

  func layers() -> [ChannelGroup] {
    network.allGroups.filter { $0.layers.count > 1 }.flatMap { group in
      group.layers.compactMap { name -> ChannelGroup? in
        guard let index = network.index(of: name), let number = numbers[name] else { return nil }
        let rows = slices(of: index).filter { $0.group == group.id && $0.slice.side == .incoming }
        let columns = walk.directReaders(of: index).flatMap { slices(of: $0) }
          .filter { $0.group == group.id && $0.slice.side == .outgoing }
        return ChannelGroup(
          id: name, kind: .layer, numbers: [number], width: group.width, slices: (rows + columns).map(\.slice))
      }
    }
  }
}
