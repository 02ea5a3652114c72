import Diagnosis

/// One layer at several widths, each trained with several seeds: where its pattern turns from too narrow to wide enough.
public struct WidthSweepSummary: Codable, Sendable {
  /// How one group went in one training.
  public struct Curve: Codable, Sendable {
    /// The group.
    public var group: String
    /// V over the epochs, from before training.
    public var values: [Double?]
    /// What the curve was found to be.
    public var finding: PatternFinding

    /// Describes a curve.
    public init(group: String, values: [Double?], finding: PatternFinding) {
      self.group = group
      self.values = values
      self.finding = finding
    }
  }

  /// One training.
  public struct Result: Codable, Sendable {
    /// Its seed.
    public var seed: Int
    /// The held-out score.
    public var score: Double
    /// The group that the study shows.
    public var curve: Curve
    /// Other groups that were followed.
    public var further: [Curve]

    /// What the group that the study shows was found to be.
    public var finding: PatternFinding { curve.finding }

    /// Describes a training.
    public init(seed: Int, score: Double, curve: Curve, further: [Curve] = []) {
      self.seed = seed
      self.score = score
      self.curve = curve
      self.further = further
    }
  }

  /// All trainings of one width.
  public struct Point: Codable, Sendable {
    /// The width.
    public var width: Int
    /// The trainings, by seed.
    public var results: [Result]
    /// What the seeds agree on.
    public var agreement: PatternAgreement

    /// Sums up the trainings of a width.
    ///
    /// - Precondition: At least one.
    public init(width: Int, results: [Result]) {
      self.width = width
      self.results = results
      agreement = PatternAgreement(results.map(\.finding))
    }
  }

  /// What was done, for example `matthew-2-gcn`.
  public var name: String
  /// The model, in words.
  public var model: String
  /// The data, in words.
  public var dataset: String
  /// What is counted as width: `hidden features`.
  public var unit: String
  /// What the score is: `test accuracy (%)`.
  public var score: String
  /// What the source reports, in a sentence.
  public var claim: String
  /// Epochs of each training.
  public var epochs: Int
  /// The widths in order.
  public var points: [Point]

  /// Sums up a sweep.
  public init(
    name: String, model: String, dataset: String, unit: String, score: String, claim: String, epochs: Int,
    points: [Point]
  ) {
    self.name = name
    self.model = model
    self.dataset = dataset
    self.unit = unit
    self.score = score
    self.claim = claim
    self.epochs = epochs
    self.points = points
  }
}
