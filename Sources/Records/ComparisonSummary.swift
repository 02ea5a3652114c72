import Networks
import Transfer

/// What a comparison of search methods brought: what `compare --json` prints and its report is made from.
public struct ComparisonSummary: Codable, Sendable, Equatable {
  /// The target network's name.
  public var network: String
  /// The data set's name.
  public var dataset: String
  /// The target's image side in pixels.
  public var resolution: Int
  /// Training images of the target.
  public var images: Int
  /// Classes.
  public var classes: Int
  /// Epochs of every final training.
  public var epochs: Int
  /// The budget in MACs; of a budget in parameters, the MACs of the uniform network that meets it.
  public var targetMacs: Int
  /// The budget in parameters, where it was one.
  public var targetParameters: Int?
  /// The budget in seconds for one image, where it was one of time.
  public var targetLatency: Double?
  /// By what the networks' times were told: `onnxruntime 1.22.0, 1 thread, …`; nil without a latency table.
  public var latencyRuntime: String?
  /// How network and data were shrunk for the transferred searches; nil when all are direct, or shrunk in several ways.
  public var projection: Projection?
  /// The width groups in network order.
  public var groups: [Group]
  /// The ways to widths, in the order in which they are shown.
  public var arms: [Arm]
  /// The folders of what has not been done; nil when all has.
  public var missing: [String]?

  /// What could not be brought to an end: a training that diverged; nil when there was nothing of the kind.
  public var failed: [FailedPart]?

  /// How many searches each method made, which the seeds took in turn; nil for one a seed.
  public var searches: Int?

  /// By which rule seeds were added; nil when their number was fixed beforehand.
  public var stopping: Stopping?

  /// Seeds were added one at a time until no interval of a difference was wider, or there were so many.
  public struct Stopping: Codable, Sendable, Equatable {
    /// Half of the widest 95 % interval that was asked for, in points of top-1.
    public var halfInterval: Double
    /// The most seeds.
    public var mostSeeds: Int

    /// Describes a rule.
    public init(halfInterval: Double, mostSeeds: Int) {
      self.halfInterval = halfInterval
      self.mostSeeds = mostSeeds
    }
  }

  /// One width group of the target.
  public typealias Group = GroupRecord

  /// Where a search ran.
  public enum Mode: String, Codable, Sendable, Equatable, CaseIterable {
    /// Nothing was searched: the uniform and the random network.
    case control
    /// On the target network and all of its data.
    case direct
    /// On the projected network and data; the widths were extrapolated.
    case transferred
  }

  /// One way to widths, followed once a seed.
  public struct Arm: Codable, Sendable, Equatable {
    /// The method: `dmcp`, `uniform`, …
    public var algorithm: String
    /// Where it searched.
    public var mode: Mode
    /// One outcome a seed.
    public var members: [Member]
    /// How network and data were shrunk, where the comparison has several ways.
    public var projection: Projection?
    /// How blocks were stacked, where the comparison has several ways.
    public var stacking: Stacking?

    /// Creates the record.
    public init(
      algorithm: String, mode: Mode, members: [Member], projection: Projection? = nil, stacking: Stacking? = nil
    ) {
      self.algorithm = algorithm
      self.mode = mode
      self.members = members
      self.projection = projection
      self.stacking = stacking
    }
  }

  /// Widths that were found with one seed, and the training at these widths with the same seed.
  public struct Member: Codable, Sendable, Equatable {
    /// The seed of search and training.
    public var seed: Int
    /// Channels by width group of the target.
    public var widths: Widths
    /// MACs of one forward pass at these widths.
    public var macs: Int
    /// Learnable parameters at these widths.
    public var parameters: Int
    /// What the search cost; nil for a control.
    public var overhead: WidthsFile.OverheadRecord?
    /// The training.
    public var result: TrainingResult
    /// The run folder of the training, relative to the comparison's.
    public var folder: String
    /// The run folder of the search, relative to the comparison's, when it is not `search` inside ``folder``.
    public var searchFolder: String?
    /// How long one image takes; nil without a latency table.
    public var latency: LatencyRecord?

    /// Creates the record.
    public init(
      seed: Int, widths: Widths, macs: Int, parameters: Int, overhead: WidthsFile.OverheadRecord?,
      result: TrainingResult, folder: String, searchFolder: String? = nil
    ) {
      self.seed = seed
      self.widths = widths
      self.macs = macs
      self.parameters = parameters
      self.overhead = overhead
      self.result = result
      self.folder = folder
      self.searchFolder = searchFolder
    }
  }

  /// Creates the record.
  public init(
    network: String, dataset: String, resolution: Int, images: Int, classes: Int, epochs: Int, targetMacs: Int,
    projection: Projection?, groups: [Group], arms: [Arm]
  ) {
    self.network = network
    self.dataset = dataset
    self.resolution = resolution
    self.images = images
    self.classes = classes
    self.epochs = epochs
    self.targetMacs = targetMacs
    self.projection = projection
    self.groups = groups
    self.arms = arms
  }
}
