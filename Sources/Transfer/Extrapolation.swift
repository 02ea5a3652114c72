import Networks

/// Carries optimized widths of a small network over to a large one at its cost (section 3 of the paper).
///
/// Groups are found by their address (stage, block, role), never by name: names shift with depth. A stage's output is one
/// group and is copied, as are stem and head; the groups inside blocks are stacked where the target is deeper.
public enum Extrapolation {
  /// Extrapolates relative widths and scales them by one factor so that the target costs what it should.
  ///
  /// A common factor of the multipliers does not matter. Groups that the target fixes keep their widths.
  ///
  /// - Parameters:
  ///   - multipliers: Widths of the source's groups relative to `source`; groups left out have 1.
  ///   - source: The network that was optimized, at its original widths.
  ///   - target: The network to carry them to, at its original widths and resolution.
  ///   - stacking: How blocks are made up for a deeper target.
  ///   - divisor: What widths are rounded to, and the smallest width.
  ///   - budget: The cost to match; the target's own multiply-accumulates when nil.
  /// - Throws: `NetworkFailure` when the networks are not of one family or a group is unknown, `UsageFailure` for an
  ///   impossible cost.
  public static func match(
    multipliers: PerGroup<Double>, from source: ResolvedNetwork, to target: ResolvedNetwork,
    stacking: Stacking = .averageBlock, divisor: Int = 8, budget: Budget? = nil
  ) throws -> WidthMatch {
    try target.matching(
      budget?.amount ?? target.cost.macs, in: budget?.model ?? .macs,
      multipliers: self.multipliers(multipliers, from: source, to: target, stacking: stacking), divisor: divisor)
  }

  /// Extrapolates searched widths; groups left out keep theirs. The rest is as for multipliers.
  public static func match(
    widths: Widths, from source: ResolvedNetwork, to target: ResolvedNetwork, stacking: Stacking = .averageBlock,
    divisor: Int = 8, budget: Budget? = nil
  ) throws -> WidthMatch {
    try match(
      multipliers: multipliers(of: widths, in: source), from: source, to: target, stacking: stacking, divisor: divisor,
      budget: budget)
  }

  /// Extrapolates relative widths to every group of the target, before they are scaled to its cost.
  ///
  /// - Parameters:
  ///   - multipliers: Widths of the source's groups relative to `source`; groups left out have 1.
  ///   - source: The network that was optimized.
  ///   - target: The network to carry them to.
  ///   - stacking: How blocks are made up for a deeper target.
  /// - Throws: `NetworkFailure` when the networks are not of one family or a group is unknown.
  public static func multipliers(
    _ multipliers: PerGroup<Double>, from source: ResolvedNetwork, to target: ResolvedNetwork, stacking: Stacking
  ) throws -> PerGroup<Double> {
    let map = try AddressMap(source: source, multipliers: multipliers, stacking: stacking)
    return try PerGroup(target) { try map.multiplier(for: $0, in: target.network) }
  }

  /// Widths relative to those of a network, of fixed groups too: `w_u = c_u / F_u`.
  ///
  /// - Throws: `NetworkFailure` for a group that the network does not have.
  public static func multipliers(of widths: Widths, in network: ResolvedNetwork) throws -> PerGroup<Double> {
    // Unknown groups and impossible widths are refused here, with the nearest names.
    _ = try network.network(with: widths)
    return network.allGroups.reduce(into: [:]) { $0[$1.id] = Double(widths[$1.id] ?? $1.width) / Double($1.width) }
  }
}

/// The multipliers of a source by address, with the rules for addresses that only the target has.
private struct AddressMap {
  private let source: Network
  private let stacking: Stacking
  private var byAddress: [WidthGroup.Address: Double] = [:]

  init(source: ResolvedNetwork, multipliers: PerGroup<Double>, stacking: Stacking) throws {
    self.source = source.network
    self.stacking = stacking
    let known = Set(source.allGroups.map(\.id))
    for (id, multiplier) in multipliers.values.sorted(by: { $0.key < $1.key }) {
      guard known.contains(id) else {
        throw NetworkFailure(
          "the searched network \(source.network.name) has no width group \(id); were the widths found for another one?"
        )
      }
      guard multiplier.isFinite, multiplier > 0 else {
        throw NetworkFailure(layer: id, "its width multiplier must be positive, not \(multiplier)")
      }
    }
    for group in source.allGroups { byAddress[group.address] = multipliers[group.id, default: 1] }
  }

  func multiplier(for group: WidthGroup, in target: Network) throws -> Double {
    guard source.stages.count == target.stages.count else {
      throw NetworkFailure(
        "the source \(source.name) has \(source.stages.count) stages, the target \(target.name) has "
          + "\(target.stages.count): widths are extrapolated inside one family of networks")
    }
    if let value = value(at: group.address, blockCount: blockCount(of: group, in: target)) { return value }
    let place = [group.stage.map { "stage \($0)" }, group.block.map { "block \($0)" }, group.role]
      .compactMap { $0 }.joined(separator: ", ")
    throw NetworkFailure(
      layer: group.id,
      "the source \(source.name) has no widths at its place (\(place)): source and target are not of one family")
  }

  private func blockCount(of group: WidthGroup, in target: Network) -> Int {
    group.stage.map { target.stages[$0].blocks.count } ?? 0
  }

  private func value(at address: WidthGroup.Address, blockCount: Int) -> Double? {
    guard let stage = address.stage else { return byAddress[address] }
    let blocks = source.stages[stage].blocks.indices.map {
      byAddress[.init(stage: stage, block: $0, role: address.role)]
    }
    let shared = byAddress[.init(stage: stage, block: nil, role: address.role)]
    guard let block = address.block else {
      // A stage with one block has one output, whether or not deeper ones share it.
      return shared ?? blocks.compactMap { $0 }.first
    }
    // Where the depth is the source's, each block has its own (section 1.4).
    if blocks.count == blockCount, blocks.indices.contains(block), let own = blocks[block] ?? shared { return own }
    let stacked = stacking.stacked(blocks, count: blockCount)
    return block < stacked.count ? stacked[block] : shared
  }
}
