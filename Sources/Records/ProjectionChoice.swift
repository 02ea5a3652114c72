import Support
import Transfer

/// How `--project auto` came to its projection: the content of `projection.json`.
///
/// What is there is taken, and not measured anew: a run that goes on keeps its projection.
public struct ProjectionChoice: Codable, Sendable, Equatable {
  /// What the search may take, in seconds.
  public var budget: Double
  /// The projection that was chosen: the first rung that fits.
  public var projection: Projection
  /// Seconds that its search was predicted to take.
  public var predictedSeconds: Double
  /// Seconds that measuring took.
  public var measuringSeconds: Double
  /// What was looked at, from the target itself to ever smaller ones.
  public var rungs: [Rung]

  /// One projection that was looked at.
  public struct Rung: Codable, Sendable, Equatable {
    /// The projection.
    public var projection: Projection
    /// Direct over projected search cost, counted in MACs.
    public var counted: Double
    /// Seconds that its search would take.
    public var seconds: Double
    /// Whether steps of this very search were timed; else its seconds follow from the MACs and the time of another's.
    public var isMeasured: Bool

    /// Describes a rung.
    public init(projection: Projection, counted: Double, seconds: Double, isMeasured: Bool) {
      self.projection = projection
      self.counted = counted
      self.seconds = seconds
      self.isMeasured = isMeasured
    }
  }

  /// Describes a choice.
  public init(
    budget: Double, projection: Projection, predictedSeconds: Double, measuringSeconds: Double, rungs: [Rung]
  ) {
    self.budget = budget
    self.projection = projection
    self.predictedSeconds = predictedSeconds
    self.measuringSeconds = measuringSeconds
    self.rungs = rungs
  }

  /// Reads the choice of a run folder; nil where none has been made.
  ///
  /// - Throws: ``Support/FileFailure`` for a file that is broken.
  public static func read(_ folder: RunFolder) throws -> ProjectionChoice? {
    guard FileStatus(path: folder.projection) != nil else { return nil }
    return try JSONFile.read(Self.self, path: folder.projection, expecting: "remove it to choose a projection again")
  }

  /// Writes the choice into a run folder.
  public func write(_ folder: RunFolder) throws { try JSONFile.write(self, to: folder.projection) }
}
