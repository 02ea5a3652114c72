import Diagnosis
import Networks

/// Trained networks merged at several thresholds, beside what their weight norms said of their layers: table 2 of Chen, Bu and Yan (2024).
public struct MergeSweepSummary: Codable, Sendable {
  /// One threshold.
  public struct Point: Codable, Sendable {
    /// β: pairs of channels are merged that lie no further apart than this part of the largest distance.
    public var threshold: Double
    /// The merged network, without further training.
    public var after: MergeRecord.State
    /// What is left of each layer, and of those that are wide enough and too narrow.
    public var survival: MergeSurvival

    /// Describes a threshold.
    public init(threshold: Double, after: MergeRecord.State, survival: MergeSurvival) {
      self.threshold = threshold
      self.after = after
      self.survival = survival
    }
  }

  /// One training.
  public struct Member: Codable, Sendable {
    /// Its seed.
    public var seed: Int
    /// The network as it was trained.
    public var before: MergeRecord.State
    /// The thresholds, ascending.
    public var points: [Point]

    /// Describes a training.
    ///
    /// - Parameter points: At least one, of ascending thresholds.
    public init(seed: Int, before: MergeRecord.State, points: [Point]) {
      self.seed = seed
      self.before = before
      self.points = points
    }

    /// The largest threshold up to which the accuracy is within so many points; nil when the first is not.
    public func largestThreshold(losing points: Double) -> Point? {
      guard let top1 = before.top1 else { return nil }
      return self.points.prefix { ($0.after.top1 ?? 0) >= top1 - points }.last
    }
  }

  /// One group, with what all trainings together say of it.
  public struct Group: Codable, Sendable {
    /// The group.
    public var id: WidthGroup.ID
    /// Its layers' numbers, as figures count them.
    public var numbers: [Int]
    /// Its width before merging.
    public var width: Int
    /// Its pattern.
    public var pattern: WidthPattern
    /// D.
    public var drop: Double?

    /// Describes a group.
    public init(id: WidthGroup.ID, numbers: [Int], width: Int, pattern: WidthPattern, drop: Double?) {
      (self.id, self.numbers, self.width) = (id, numbers, width)
      (self.pattern, self.drop) = (pattern, drop)
    }

    /// Takes what a diagnosis says.
    public init(_ group: DiagnosisSummary.Group) {
      self.init(id: group.id, numbers: group.numbers, width: group.width, pattern: group.pattern, drop: group.drop)
    }
  }

  /// What was done, for example `matthew-t2`.
  public var name: String
  /// The network.
  public var network: String
  /// The data, in words.
  public var dataset: String
  /// What the source reports, in a sentence.
  public var claim: String
  /// Epochs of each training.
  public var epochs: Int
  /// How it was merged; the threshold is the one that tables show.
  public var settings: MergeSettings
  /// The groups that can be merged.
  public var groups: [Group]
  /// The trainings.
  public var members: [Member]

  /// Sums up a sweep.
  public init(
    name: String, network: String, dataset: String, claim: String, epochs: Int, settings: MergeSettings,
    groups: [Group], members: [Member]
  ) {
    self.name = name
    self.network = network
    self.dataset = dataset
    self.claim = claim
    self.epochs = epochs
    self.settings = settings
    self.groups = groups
    self.members = members
  }
}
