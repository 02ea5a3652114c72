import Records
import Support
import Training
import WidthSearch

/// Work with an identity and an outcome: kept under its identity, never done twice in one folder.
public protocol Job {
  /// What it brings.
  associatedtype Output
  /// The kind, as the manifest names it.
  static var kind: String { get }
  /// A short form of what the outcome depends on: equal for jobs of equal outcome.
  var digest: String { get throws }
  /// Does the work in a folder, or goes on with it, or reads what is done already.
  ///
  /// - Throws: `Interrupted` when it is stopped, with a checkpoint saved.
  func perform(in folder: RunFolder, _ surroundings: JobSurroundings) throws -> Output
  /// Reads what is done already; nil where there is nothing whole of this job.
  func finished(in folder: RunFolder) throws -> Output?
}

/// What a job does not depend on: who listens, when to save, when to stop.
public struct JobSurroundings {
  /// Makes readers of a job's events, given what it is called and its folder.
  public typealias Sinks = (_ label: String, _ folder: RunFolder) throws -> [any EventSink]

  /// Makes readers of a job's events.
  public var sinks: Sinks
  /// When to save between the ends of epochs.
  public var policy: CheckpointPolicy
  /// What may stop the work.
  public var cancellation: Cancellation
  /// Who does the work along.
  public var cohort: Cohort

  /// Describes surroundings; by default nobody listens.
  public init(
    sinks: @escaping Sinks = { _, _ in [] }, policy: CheckpointPolicy = .init(),
    cancellation: Cancellation = .signals, cohort: Cohort = .single
  ) {
    self.sinks = sinks
    self.policy = policy
    self.cancellation = cancellation
    self.cohort = cohort
  }
}
