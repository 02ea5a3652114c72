import Datasets
import Networks
import Runs
import Support
import Torch
import Training

/// A search for better channel counts: 𝒜 in the notation of the width-transfer paper.
///
/// An optimizer sees width groups and never the structure of the network, so it cannot produce widths that do not fit.
public protocol WidthOptimizer: Sendable {
  /// The name on the command line.
  var name: String { get }
  /// Text that is equal for equal settings, so that a run is only resumed by its equal.
  var identity: String { get }
  /// Makes sure that the method can act on a network, before any training.
  ///
  /// - Throws: `UsageFailure` that names the layer or setting at fault.
  func validate(_ network: Network, recipe: Recipe) throws
  /// The widest network that the search would run for a network: the scale of what a search costs.
  func widestNetwork(for network: Network, divisor: Int) throws -> Network
  /// Searches widths of `context.network` that cost `context.targetMACs`.
  ///
  /// - Throws: `Interrupted` after a signal, with a checkpoint saved; `TrainingFailure` when a loss is not finite.
  func search(_ context: SearchContext) throws -> SearchResult
}

/// What a search works on: 𝒞 = (𝒟, 𝒩) with a budget and a place to report to.
public struct SearchContext {
  /// The network to find widths for, at the resolution of the search.
  public var network: Network
  /// Batches to train on.
  public var training: BatchLoader
  /// The budget, in MACs at the resolution of the search.
  public var targetMACs: Int
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
  /// Asked after each step; a signal saves and ends the search.
  public var interruption: () -> Int32?

  /// Describes a search.
  public init(
    network: Network, training: BatchLoader, targetMACs: Int, recipe: Recipe, divisor: Int = 8, seed: Int = 0,
    device: Device = .cpu, events: EventStream = EventStream(), checkpoints: CheckpointStore? = nil,
    policy: CheckpointPolicy = .init(), interruption: @escaping () -> Int32? = { Interruption.signal }
  ) {
    self.network = network
    self.training = training
    self.targetMACs = targetMACs
    self.recipe = recipe
    self.divisor = divisor
    self.seed = seed
    self.device = device
    self.events = events
    self.checkpoints = checkpoints
    self.policy = policy
    self.interruption = interruption
  }
}

/// What a search found, and how it got there.
public struct SearchResult: Codable, Sendable, Equatable {
  /// Channels by width group: what the search decided on before any rounding to a divisor.
  ///
  /// Not rounded to whole channels, because the multipliers that are carried to a larger network come from here: in a
  /// small source a rounding would cost more than the search can tell apart.
  public var channels: [WidthGroup.ID: Double]
  /// The (expected) cost of these channels.
  public var macs: Double
  /// The search's way.
  public var history: [WidthsFile.HistoryPoint]
  /// What the search spent.
  public var cost: SearchCost
  /// What a person should know, for example that the budget was not met.
  public var warnings: [String]

  /// Creates a result.
  public init(
    channels: [WidthGroup.ID: Double], macs: Double, history: [WidthsFile.HistoryPoint], cost: SearchCost,
    warnings: [String]
  ) {
    self.channels = channels
    self.macs = macs
    self.history = history
    self.cost = cost
    self.warnings = warnings
  }

  /// Channels relative to the network that was searched.
  public func multipliers(of network: Network) throws -> [WidthGroup.ID: Double] {
    Dictionary(
      try network.widthGroups.map { ($0.id, (channels[$0.id] ?? Double($0.width)) / Double($0.width)) },
      uniquingKeysWith: { first, _ in first })
  }
}
