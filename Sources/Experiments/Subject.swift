import ImageFiles
import Methods
import Networks
import Torch
import Training
import Transfer

/// What all parts of a plan share: the network whose widths are sought, the data, how networks are trained in the end, and where
/// it is computed.
public struct Subject {
  /// The network whose widths are sought, at the target's resolution.
  public var target: ResolvedNetwork
  /// Width groups of the target that keep their widths in all networks of the plan.
  public var fixed: Set<WidthGroup.ID>
  /// The data.
  public var dataset: Dataset
  /// The part of the training data that counts as all of it.
  public var dataFraction: Double
  /// How the networks are trained in the end.
  public var recipe: Recipe
  /// Channel counts are multiples of this.
  public var divisor: Int
  /// Where to compute.
  public var device: Device
  /// Threads that prepare batches.
  public var loaderThreads: Int
  /// What is followed of the trainings in the end.
  public var tracks: Set<Tracking>

  /// Describes a subject.
  ///
  /// - Parameter target: The network; what it fixes is fixed beside `fixed`.
  public init(
    target: ResolvedNetwork, fixed: Set<WidthGroup.ID> = [], dataset: Dataset, dataFraction: Double = 1, recipe: Recipe,
    divisor: Int = 8, device: Device = .cpu, loaderThreads: Int = 1, tracks: Set<Tracking> = []
  ) throws {
    // The networks that are trained say nothing of what a search may change: they are the same whoever asks for them.
    self.target = try target.unfixed
    self.fixed = fixed.union(target.fixedGroups.map(\.id))
    self.dataset = dataset
    self.dataFraction = dataFraction
    self.recipe = recipe
    self.divisor = divisor
    self.device = device
    self.loaderThreads = loaderThreads
    self.tracks = tracks
  }

  /// The training of a network in the end.
  public func training(of network: ResolvedNetwork, seed: Int) -> TrainingJob {
    TrainingJob(
      network: network, dataset: dataset, recipe: recipe, dataFraction: dataFraction, seed: seed, device: device,
      loaderThreads: loaderThreads, tracks: tracks)
  }

  /// The baseline at a budget: the target itself, or scaled by one multiplier on all layers when that is not its own cost.
  ///
  /// - Throws: `UsageFailure` for a budget that the network cannot meet.
  public func uniform(at budget: Budget) throws -> ResolvedNetwork {
    budget.amount == budget.model.count(target)
      ? target : try target.fixing(fixed).matching(budget.amount, in: budget.model, divisor: divisor).resolved.unfixed
  }
}
