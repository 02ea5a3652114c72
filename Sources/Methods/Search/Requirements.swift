import Networks
import Support

/// What methods need of a network and a recipe, checked before anything is trained.
enum Requirements {
  /// Refuses float16: searches add up gradients of several passes and would need their losses scaled.
  static func precision(_ recipe: Recipe, _ method: String) throws {
    guard recipe.precision != .float16 else {
      throw UsageFailure("\(method) trains in float32 or bfloat16; float16 would need its loss scaled")
    }
  }

  /// The groups that no batch normalization follows, with the reason why a method that needs one keeps them.
  static func unnormalized(in network: ResolvedNetwork, because reason: String) -> PerGroup<String> {
    PerGroup(network, where: { network.batchNorms(on: $0.id).isEmpty }, "no batch normalization follows, and \(reason)")
  }

  /// Refuses networks with a group that the method cannot act on, and those in which there is nothing to decide.
  static func groups(of network: ResolvedNetwork, _ optimizer: some WidthOptimizer) throws {
    let kept = optimizer.kept(of: network)
    guard !network.widthGroups.isEmpty, kept.count < network.widthGroups.count else {
      let reason = kept.groups.first.map { ", the channels of \($0): \(kept[$0] ?? "")" } ?? ""
      throw UsageFailure(
        "\(optimizer.name) cannot act on \(network.name): "
          + (network.widthGroups.isEmpty && network.fixedGroups.isEmpty
            ? "it has no width group" : "none of its width groups is left to decide on\(reason)"))
    }
    for id in kept.groups.prefix(1) {
      throw UsageFailure(
        "\(optimizer.name) cannot act on the channels of \(id) of \(network.name): \(kept[id] ?? ""); `fix` them")
    }
  }
}

extension PerGroup<String> {
  fileprivate init(_ network: ResolvedNetwork, where condition: (WidthGroup) -> Bool, _ reason: String) {
    self.init()
    for group in network.widthGroups where condition(group) { self[group.id] = reason }
  }
}
