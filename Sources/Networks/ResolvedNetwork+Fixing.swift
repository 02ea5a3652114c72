import Foundation
import Support

extension ResolvedNetwork {
  /// The network with nothing fixed.
  public var unfixed: ResolvedNetwork {
    get throws { try network.fixed.isEmpty ? self : network.fixing([]).resolved() }
  }

  /// The network with these groups fixed, and no others.
  public func fixing(_ groups: Set<WidthGroup.ID>) throws -> ResolvedNetwork {
    try groups == network.fixed ? self : network.fixing(groups).resolved()
  }

  /// The groups of tied channels that the network fixes, in network order.
  public var fixedGroups: [WidthGroup] {
    let free = Set(widthGroups.map(\.id))
    return allGroups.filter { !free.contains($0.id) }
  }

  /// The groups that patterns name: `classifier.*`, `layer?.0.conv1`, `[fs]*`. A pattern may name any layer of a group.
  ///
  /// - Throws: `UsageFailure` for a pattern that names no group, with the nearest names.
  public func groups(matching patterns: [String]) throws -> Set<WidthGroup.ID> {
    let all = allGroups
    return try patterns.reduce(into: []) { found, pattern in
      let matching = all.filter { group in group.layers.contains { fnmatch(pattern, $0, 0) == 0 } }.map(\.id)
      guard !matching.isEmpty else {
        let near = nearestNames(to: pattern, in: all.flatMap(\.layers))
        throw UsageFailure(
          "`fix` \(pattern): \(name) has no layer of this name whose width can be chosen; nearest: "
            + "\(near.joined(separator: ", ")). `inspect` lists the groups")
      }
      found.formUnion(matching)
    }
  }

  /// The groups of this network that sit where `groups` sit in a shallower or deeper form of it.
  public func groups(placedAs groups: Set<WidthGroup.ID>, in other: ResolvedNetwork) -> Set<WidthGroup.ID> {
    guard !groups.isEmpty else { return [] }
    let addresses = Set(other.allGroups.filter { groups.contains($0.id) }.map(\.address))
    // What all blocks of a stage share is, where the stage has one block, that block's.
    return Set(
      allGroups.filter { group in
        addresses.contains(group.address)
          || addresses.contains(.init(stage: group.stage, block: nil, role: group.role))
          || group.block == nil && addresses.contains(.init(stage: group.stage, block: 0, role: group.role))
      }.map(\.id))
  }
}

extension Network {
  fileprivate func fixing(_ layers: Set<String>) -> Network {
    var changed = self
    changed.fixed = layers
    return changed
  }
}
