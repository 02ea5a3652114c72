import Networks
import Records
import Transfer

/// One arm of a comparison, summarized over its seeds. Numbers that are not finite are left out.
struct MethodArm: Sendable {
  /// The method in words: `DMCP`, `Uniform`.
  let method: String
  /// The arm in words, unlike any other arm's: `DMCP direct`, `Uniform`.
  let label: String
  /// What tells it from others of its method, where there are several: `, width 0.5×`.
  let way: String
  /// What was compared.
  let arm: ComparisonSummary.Arm
  /// The mean multiplier of every group, in the order of the groups; nil where no seed has the group.
  let multipliers: [Double?]

  var mode: ComparisonSummary.Mode { arm.mode }
  var isUniform: Bool { mode == .control && arm.algorithm == "uniform" }
  /// Whether its widths came from a file.
  var isGiven: Bool { mode == .control && !["uniform", "random"].contains(arm.algorithm) }

  var top1: Spread? { spread { $0.result.top1 } }
  var macs: Spread? { spread { Double($0.macs) } }
  var parameters: Spread? { spread { Double($0.parameters) } }
  var predictedLatency: Spread? { spread { $0.latency?.predicted } }
  var measuredLatency: Spread? { spread { $0.latency?.measured } }
  var searchMacs: Spread? { spread { $0.overhead?.flops } }
  var searchSeconds: Spread? { spread { $0.overhead?.seconds } }
  /// What the search would have cost directly, as it was reckoned.
  var directMacs: Spread? { spread { $0.overhead?.directFlops } }
  var nominalReduction: Spread? { spread { $0.overhead?.nominalReduction } }

  func spread(_ value: (ComparisonSummary.Member) -> Double?) -> Spread? {
    Spread(arm.members.compactMap(value).filter(\.isFinite))
  }

  /// The channels of a group over the seeds.
  func channels(_ group: String) -> Spread? { spread { $0.widths[group].map(Double.init) } }
}

/// A method that searched, with its arms as far as the comparison has them.
struct SearchedMethod: Sendable {
  let name: String
  let direct: MethodArm?
  let transferred: MethodArm?

  /// Direct over transferred MACs of the search, and whether the direct search was run or only reckoned.
  var counted: (factor: Double, isRun: Bool)? {
    guard let cost = transferred?.searchMacs?.mean, cost > 0 else { return nil }
    if let whole = direct?.searchMacs?.mean { return (whole / cost, true) }
    return transferred?.directMacs.map { ($0.mean / cost, false) }
  }

  /// Direct over transferred seconds of the search, where both were run.
  var measured: Double? {
    guard let whole = direct?.searchSeconds?.mean, let cost = transferred?.searchSeconds?.mean, cost > 0 else {
      return nil
    }
    return whole / cost
  }

  /// The transferred widths' top-1 against the direct ones'.
  var difference: PairedDifference? {
    guard let direct, let transferred else { return nil }
    return PairedDifference(transferred.arm.top1BySeed, minus: direct.arm.top1BySeed)
  }
}

extension ComparisonSummary {
  /// The arms with at least one seed, in their order, under names that tell them apart.
  var methodArms: [MethodArm] {
    var labels: Set<String> = []
    return arms.filter { !$0.members.isEmpty }.map { arm in
      let method = Self.method(arm.algorithm)
      let way = arm.mode == .control ? "" : way(arm)
      let name = arm.mode == .control ? method : "\(method) \(arm.mode.rawValue)\(way)"
      var label = name
      var number = 2
      while !labels.insert(label).inserted {
        label = "\(name) (\(number))"
        number += 1
      }
      let multipliers = groups.map { group in
        Spread(arm.members.compactMap { $0.multiplier(group) })?.mean
      }
      return MethodArm(method: method, label: label, way: way, arm: arm, multipliers: multipliers)
    }
  }

  /// The methods that searched, in the order of their first arms; one that was transferred in several ways once for each.
  var searchedMethods: [SearchedMethod] {
    let searched = methodArms.filter { $0.mode != .control }
    var names: [String] = []
    for arm in searched where !names.contains(arm.method) { names.append(arm.method) }
    return names.flatMap { name in
      let own = searched.filter { $0.method == name }
      let direct = own.first { $0.mode == .direct }
      let transferred = own.filter { $0.mode == .transferred }
      if transferred.isEmpty { return [SearchedMethod(name: name, direct: direct, transferred: nil)] }
      // The same direct search beside each of several ways to shrink.
      return transferred.map { arm in
        SearchedMethod(name: name + arm.way, direct: direct, transferred: arm)
      }
    }
  }

  // What tells an arm from others of its method: `, width 0.5×`.
  private func way(_ arm: Arm) -> String {
    let parts = [arm.projection.map { PageParts.shrunk($0, from: resolution) }, arm.stacking?.rawValue]
    return parts.compactMap { $0 }.map { ", \($0)" }.joined()
  }

  private static func method(_ algorithm: String) -> String {
    switch algorithm {
    case "uniform": "Uniform"
    case "random": "Random"
    default: PageParts.algorithm(algorithm)
    }
  }
}

extension ComparisonSummary.Member {
  /// A group's channels over the network's own; nil when the widths lack the group or leave nothing of it.
  func multiplier(_ group: ComparisonSummary.Group) -> Double? {
    guard let width = widths[group.id], width > 0, group.original > 0 else { return nil }
    return Double(width) / Double(group.original)
  }
}
