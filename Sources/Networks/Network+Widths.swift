import Support

extension Network {
  /// The same network with other channel counts; groups that `widths` leaves out keep theirs.
  ///
  /// - Throws: ``NetworkFailure`` when a group is unknown or a width impossible.
  public func with(_ widths: Widths) throws -> Network { try resolved().network(with: widths) }
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
      return layers[index].outputSegments.reduce(0) { sum, segment in
        sum + (segment.group.flatMap { widths[$0] }.map { $0 * segment.positions } ?? segment.channels)
      }
    }
    for (index, layer) in layers.enumerated() {
      switch layer.layer.operation {
      case .convolution(var convolution):
        if let rule = convolution.derivedChannels {
          convolution.outputChannels = rule.channels(ofSource: channels(of: indices[rule.source] ?? -1))
        } else {
          convolution.outputChannels = channels(of: index)
        }
        changed.layers[index].operation = .convolution(convolution)
      case .linear(var linear):
        linear.outputFeatures = channels(of: index)
        changed.layers[index].operation = .linear(linear)
      default: continue
      }
    }
    return changed
  }

  private func check(_ widths: Widths) throws {
    let groups = Dictionary(widthGroups.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for (id, width) in widths.values.sorted(by: { $0.key < $1.key }) {
      guard let group = groups[id] else {
        let near = nearestNames(to: id, in: groups.keys)
        throw NetworkFailure(
          "\(network.name) has no width group \(id); nearest: \(near.joined(separator: ", ")). The widths probably belong "
            + "to another network: `inspect` lists the \(groups.count) groups of this one")
      }
      guard (1...Limits.channels).contains(width) else {
        throw NetworkFailure(layer: id, "its width group cannot have \(width) channels; at least 1 is needed")
      }
      guard width.isMultiple(of: group.granularity) else {
        throw NetworkFailure(
          layer: id, "its width must be a multiple of \(group.granularity) for a grouped convolution, not \(width)")
      }
    }
  }
}
