import Support

extension Network {
  /// The same network with other channel counts; groups that `widths` leaves out keep theirs.
  ///
  /// - Throws: ``NetworkFailure`` when a group is unknown or a width impossible.
  public func with(_ widths: Widths) throws -> Network { try resolved().network(with: widths) }
}

extension Network {
  /// Sets what a group's width was before it was rounded.
  mutating func remember(_ unrounded: Double?, in group: WidthGroup) {
    let members = Set(group.layers)
    for index in layers.indices where members.contains(layers[index].name) { layers[index].unrounded = unrounded }
  }
}

extension ResolvedNetwork {
  /// The same network with other channel counts; groups that `widths` leaves out keep theirs.
  ///
  /// - Throws: ``NetworkFailure`` when a group is unknown or a width impossible.
  public func network(with widths: Widths) throws -> Network {
    try check(widths)
    var changed = network
    /// The channels that a layer puts out at the new widths; -1 is the image.
    func channels(of index: Int) -> Int {
      guard index >= 0 else { return network.input.channels }
      return layers[index].outputSegments.reduce(0) { $0 + $1.channels(in: widths) }
    }
    for (index, layer) in layers.enumerated() {
      let definition = layer.layer.operation.definition
      switch definition.channels {
      case .produces(_, let rule?):
        let count = rule.channels(ofSource: channels(of: indices[rule.source] ?? -1))
        changed.layers[index].operation = Operation(definition.with(outputChannels: count))
      case .produces, .filters:
        changed.layers[index].operation = Operation(definition.with(outputChannels: channels(of: index)))
      case .slices(let range):
        let segments = inputSegments(of: index)[0]
        let (start, end) = (segments.place(range.lowerBound, in: widths), segments.place(range.upperBound, in: widths))
        changed.layers[index].operation = Operation(definition.with(slice: start..<max(start, end)))
      case .passes, .passesFirst, .ties, .joins, .repeats, .spreads, .shuffles, .groups, .fixes: break
      }
    }
    // A width that was chosen is no rounding of another.
    for group in widthGroups where widths[group.id].map({ $0 != group.width }) ?? false {
      changed.remember(nil, in: group)
    }
    return changed
  }

  private func check(_ widths: Widths) throws {
    let groups = Dictionary(widthGroups.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for (id, width) in widths.values.sorted(by: { $0.key < $1.key }) {
      guard let group = groups[id] else {
        if let fixed = self.widths[id] {
          guard width == fixed else {
            throw NetworkFailure(layer: id, "its width group is fixed at \(fixed) channels and cannot have \(width)")
          }
          continue
        }
        let near = nearestNames(to: id, in: groups.keys)
        throw NetworkFailure(
          "\(network.name) has no width group \(id); nearest: \(near.joined(separator: ", ")). The widths probably belong "
            + "to another network: `inspect` lists the \(groups.count) groups of this one")
      }
      guard (LeastChannels.everywhere...Limits.channels).contains(width) else {
        throw NetworkFailure(
          layer: id, "its width group cannot have \(width) channels; at least \(LeastChannels.everywhere) is needed")
      }
      guard width.isMultiple(of: group.granularity) else {
        throw NetworkFailure(
          layer: id,
          "its width must be a multiple of \(group.granularity), because its channels are divided into groups or parts, and is \(width)"
        )
      }
    }
  }
}

extension ChannelSegment {
  fileprivate func channels(in widths: Widths) -> Int {
    group.flatMap { widths[$0] }.map { channels(at: $0) } ?? channels
  }
}

extension [ChannelSegment] {
  /// Where a border between channels is at other widths; inside of a segment it keeps its share.
  fileprivate func place(_ border: Int, in widths: Widths) -> Int {
    var (before, after) = (0, 0)
    for segment in self {
      let changed = segment.channels(in: widths)
      guard before + segment.channels <= border else {
        // Its share is smaller than the whole, and only the product on the way to it may not fit.
        let product = (border - before).multipliedFullWidth(by: changed)
        return after + segment.channels.dividingFullWidth(product).quotient
      }
      before += segment.channels
      after += changed
    }
    return after
  }
}
