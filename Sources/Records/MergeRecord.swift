import Diagnosis
import Networks

/// What iterative feature merging brought: what `merge --json` prints, and `merge.json` holds.
public struct MergeRecord: Codable, Sendable {
  /// A network's size and, where images were given, its accuracy.
  public struct State: Codable, Sendable {
    /// Multiply-accumulates of one image.
    public var macs: Int
    /// Learnable parameters.
    public var parameters: Int
    /// The sum of all widths: the feature complexity of the ICLR paper.
    public var featureComplexity: Int
    /// Held-out top-1 accuracy in percent, without further training.
    public var top1: Double?
    /// Held-out cross-entropy.
    public var loss: Double?

    /// Describes a network.
    public init(_ network: ResolvedNetwork, top1: Double? = nil, loss: Double? = nil) {
      macs = network.cost.macs
      parameters = network.cost.parameters
      featureComplexity = network.widthGroups.reduce(0) { $0 + $1.width }
      self.top1 = top1
      self.loss = loss
    }
  }

  /// The network.
  public var network: String
  /// How it was merged.
  public var settings: MergeSettings
  /// Sweeps over all groups.
  public var sweeps: Int
  /// Batches that normalizations were estimated on anew.
  public var recalibrationBatches: Int
  /// The network as it was.
  public var before: State
  /// The merged network.
  public var after: State
  /// Widths as they were.
  public var widthsBefore: Widths
  /// Widths after merging.
  public var widths: Widths
  /// For each group, the original channels that each channel stands for.
  public var members: PerGroup<[[Int]]>
  /// What is left of layers that were found wide enough or too narrow, where the training was followed.
  public var survival: MergeSurvival?

  /// Creates the record.
  public init(
    network: String, settings: MergeSettings, sweeps: Int, recalibrationBatches: Int, before: State, after: State,
    widthsBefore: Widths, widths: Widths, members: PerGroup<[[Int]]>, survival: MergeSurvival? = nil
  ) {
    self.network = network
    self.settings = settings
    self.sweeps = sweeps
    self.recalibrationBatches = recalibrationBatches
    self.before = before
    self.after = after
    self.widthsBefore = widthsBefore
    self.widths = widths
    self.members = members
    self.survival = survival
  }
}
