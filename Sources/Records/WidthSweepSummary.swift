import Diagnosis

/// One layer at several widths, each trained with several seeds: where its pattern turns from too narrow to wide enough.
public struct WidthSweepSummary: Codable, Sendable {
  /// One training.
  public struct Result: Codable, Sendable {
    /// Its seed.
    public var seed: Int
    /// The held-out score.
    public var score: Double
    /// V over the epochs, from before training.
    public var curve: [Double?]
    /// What the curve was found to be.
    public var finding: PatternFinding

    /// Describes a training.
    public init(seed: Int, score: Double, curve: [Double?], finding: PatternFinding) {
      self.seed = seed
      self.score = score
      self.curve = curve
      self.finding = finding
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
