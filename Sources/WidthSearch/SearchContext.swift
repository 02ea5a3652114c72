import Loading
import Methods
import Networks
import Records
import Support
import Torch
import Training

/// What a search works on: 𝒞 = (𝒟, 𝒩) with a budget and a place to report to.
public struct SearchContext {
  /// The network to find widths for, at the resolution of the search.
  public var network: ResolvedNetwork
  /// Batches to train on.
  public var training: BatchLoader
  /// Batches to compare widths on, which training never sees; nil unless the optimizer asks for a held-out part.
  public var heldOut: BatchLoader?
  /// The budgets, at the resolution of the search: one, or several where the optimizer serves several.
  public var targets: [Int]
  /// What the budgets are set on.
  public var costModel: CostModel
  /// How the weights are trained during the search.
  public var recipe: Recipe
  /// Channel counts are multiples of this where the search makes a wider network.
  public var divisor: Int
  /// The seed of everything random.
  public var seed: Int
  /// Where to compute.
  public var device: Device
  /// Where to tell what happens.
  public var events: EventStream
  /// Where to save; nil saves nothing.
  public var checkpoints: CheckpointStore?
  /// When to save.
  public var policy: CheckpointPolicy
  /// Asked after each step; saves and ends the search.
  public var cancellation: Cancellation
  /// Who searches along.
  public var cohort: Cohort

  /// Describes a search.
  public init(
    network: ResolvedNetwork, training: BatchLoader, heldOut: BatchLoader? = nil, targets: [Int],
    costModel: CostModel = .macs,
    recipe: Recipe, divisor: Int = 8, seed: Int = 0,
    device: Device = .cpu, events: EventStream = EventStream(), checkpoints: CheckpointStore? = nil,
    policy: CheckpointPolicy = .init(), cancellation: Cancellation = .signals,
    cohort: Cohort = .single
  ) {
    self.network = network
    self.training = training
    self.heldOut = heldOut
    self.targets = targets
    self.costModel = costModel
    self.recipe = recipe
    self.divisor = divisor
    self.seed = seed
    self.device = device
    self.events = events
    self.checkpoints = checkpoints
    self.policy = policy
    self.cancellation = cancellation
    self.cohort = cohort
  }

  /// The only budget.
  ///
  /// - Throws: `UsageFailure` when there are several: the method needs a search for each.
  func singleTarget(_ method: String) throws -> Int {
    guard targets.count == 1, let target = targets.first else {
      throw UsageFailure("\(method) searches for one budget at a time, not for \(targets.count)")
    }
    return target
  }

  /// The sizes that the search's cost grows with.
  func scale(supernetMACs: Int) -> SearchCost.Scale {
    SearchCost.Scale(
      supernetMACs: supernetMACs, trainingImages: training.imagesPerEpoch,
      evaluationImages: heldOut?.indices.count ?? 0, widthGroups: network.widthGroups.count)
  }
}
