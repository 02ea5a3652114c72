extension Resolver {
  /// Groups in network order, and the id of each root variable.
  struct Groups {
    var list: [WidthGroup] = []
    var byVariable: [Int: WidthGroup.ID] = [:]
  }

  /// Names and places the sets of tied channels whose number may be chosen.
  func widthGroups() -> Groups {
    var groups = Groups()
    var positions: [Int: Int] = [:]
    var members: [[Int]] = []
    for (variable, layer) in ties.producers {
      let root = ties.root(variable)
      guard ties.kind(root) == .free else { continue }
      if let position = positions[root] {
        if members[position].last != layer { members[position].append(layer) }
      } else {
        positions[root] = groups.list.count
        groups.byVariable[root] = network.layers[layer].name
        members.append([layer])
        groups.list.append(
          WidthGroup(
            id: network.layers[layer].name, width: ties.count(root), layers: [], role: "",
            granularity: ties.granularity(root)))
      }
    }
    let placement = Placement(self)
    for position in groups.list.indices {
      groups.list[position].layers = members[position].map { network.layers[$0].name }
    }
    placement.place(&groups, members: members)
    return groups
  }
}

/// Finds stage, block and role of width groups.
private struct Placement {
  private let resolver: Resolver
  /// Stage and block of each layer that is in one.
  private var places: [Place?]
  /// For each root variable, the blocks that put it out.
  private var outputPlaces: [Int: Set<Place>] = [:]

  private struct Place: Hashable {
    var stage: Int
    var block: Int
  }

  init(_ resolver: Resolver) {
    self.resolver = resolver
    places = Array(repeating: nil, count: resolver.network.layers.count)
    for (stage, value) in resolver.network.stages.enumerated() {
      for (block, value) in value.blocks.enumerated() {
        for name in value.layers {
          if let index = resolver.indices[name] { places[index] = Place(stage: stage, block: block) }
        }
      }
    }
    // A block puts out what a layer outside of it reads.
    for (reader, sources) in resolver.inputIndices.enumerated() {
      for source in sources where source >= 0 {
        guard let place = places[source], place != places[reader] else { continue }
        note(source, as: place)
      }
    }
    if let last = places.indices.last, let place = places[last] { note(last, as: place) }
  }

  private mutating func note(_ layer: Int, as place: Place) {
    for segment in resolver.segments[layer] {
      outputPlaces[resolver.ties.root(segment.variable), default: []].insert(place)
    }
  }

  func place(_ groups: inout Resolver.Groups, members: [[Int]]) {
    let roots = Dictionary(groups.byVariable.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    for position in groups.list.indices {
      guard let root = roots[groups.list[position].id] else { continue }
      let address = address(root: root, members: members[position])
      groups.list[position].stage = address.stage
      groups.list[position].block = address.block
      groups.list[position].role = address.role
    }
    numberAlike(&groups.list)
  }

  private func address(root: Int, members: [Int]) -> WidthGroup.Address {
    if let outputs = outputPlaces[root], let stage = outputs.map(\.stage).min() {
      let blocks = outputs.filter { $0.stage == stage }
      let isOneOfSeveral = blocks.count == 1 && resolver.network.stages[stage].blocks.count > 1
      return .init(stage: stage, block: isOneOfSeveral ? blocks.first?.block : nil, role: "out")
    }
    let inside = Set(members.map { places[$0] })
    if inside.count == 1, let place = inside.first ?? nil {
      return .init(stage: place.stage, block: place.block, role: isExpansion(members) ? "hidden" : "inner")
    }
    guard let first = places[members[0]] else {
      let isBeforeStages = places[..<members[0]].allSatisfy { $0 == nil } && places.contains { $0 != nil }
      return .init(stage: nil, block: nil, role: isBeforeStages ? "stem" : "head")
    }
    return .init(stage: first.stage, block: nil, role: "shared")
  }

  private func isExpansion(_ members: [Int]) -> Bool {
    members.contains { resolver.network.layers[$0].operation.definition.channels == .filters }
  }

  /// Makes addresses unique: the inner groups of a bottleneck become `inner1` and `inner2`.
  private func numberAlike(_ groups: inout [WidthGroup]) {
    let counts = Dictionary(groups.map { ($0.address, 1) }, uniquingKeysWith: +)
    var seen: [WidthGroup.Address: Int] = [:]
    for position in groups.indices {
      let address = groups[position].address
      guard counts[address, default: 0] > 1 else { continue }
      seen[address, default: 0] += 1
      groups[position].role += "\(seen[address, default: 1])"
    }
  }
}
