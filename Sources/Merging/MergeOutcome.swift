import Networks
import Training

/// What iterative feature merging made of a network.
public struct MergeOutcome {
  /// The smaller network with its weights.
  public var model: Model
  /// For each group, in the order of its channels now, the original channels that each stands for.
  public var members: PerGroup<[[Int]]>
  /// How many sweeps there were, the last without a merge included.
  public var sweeps: Int
}
