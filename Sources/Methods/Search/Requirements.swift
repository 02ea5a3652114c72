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

  /// Refuses networks with a group that no batch normalization follows, naming the first layer of that group.
  static func normalization(of resolved: ResolvedNetwork, _ method: String, because reason: String) throws {
    for group in resolved.widthGroups where resolved.batchNorms(on: group.id).isEmpty {
      throw UsageFailure(
        "\(method) cannot act on \(resolved.network.name): the channels of \(group.id) have no batch normalization, and "
          + reason)
    }
  }

  /// Refuses networks whose front channels are no network of the same kind.
  static func slices(of resolved: ResolvedNetwork, _ method: String) throws {
    for group in resolved.widthGroups where group.granularity > 1 {
      throw UsageFailure(
        "\(method) cannot act on \(resolved.network.name): the channels of \(group.id) meet a convolution in groups, "
          + "whose front channels are no convolution in as many groups")
    }
  }

  /// Refuses networks in which there is nothing to decide.
  static func groups(of resolved: ResolvedNetwork, _ method: String) throws {
    if resolved.widthGroups.isEmpty {
      throw UsageFailure("\(method) cannot act on \(resolved.network.name): it has no width group")
    }
  }
}
