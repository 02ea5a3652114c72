extension ResolvedNetwork {
  /// The groups whose channels change places behind the layers that put them out: in a shuffle, where a split goes through them, or where what
  /// one layer puts out is added to parts of them side by side.
  ///
  /// Their number can be followed, and a width be chosen. Which channel an entry further on belongs to cannot be read off its place.
  public var mixedGroups: Set<WidthGroup.ID> {
    var mixed: Set<WidthGroup.ID> = []
    for (index, layer) in layers.enumerated() {
      mixed.formUnion(layer.outputSegments.lazy.filter { $0.divisor > 1 }.compactMap(\.group))
      switch layer.layer.operation.definition.channels {
      case .shuffles: mixed.formUnion(layer.outputSegments.compactMap(\.group))
      case .slices(let range):
        var start = 0
        for segment in inputSegments(of: index)[0] {
          let own = start..<start + segment.channels
          let part = own.clamped(to: range)
          if !part.isEmpty, part != own, let group = segment.group { mixed.insert(group) }
          start = own.upperBound
        }
      case .produces: mixed.formUnion(layer.outputSegments.lazy.filter { $0.positions > 1 }.compactMap(\.group))
      case .passes, .passesFirst, .filters, .ties, .joins, .repeats, .spreads, .groups, .fixes: break
      }
    }
    return mixed
  }
}
