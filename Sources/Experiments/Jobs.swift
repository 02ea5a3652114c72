import Records
import Training
import WidthSearch

extension TrainingJob: Job {
  /// `train`.
  public static let kind = TrainingIdentity.kind
  /// A short form of the training's identity.
  public var digest: String { get throws { try identity.digest } }

  /// Trains, goes on, or reads the result that is there.
  public func perform(in folder: RunFolder, _ surroundings: JobSurroundings) throws -> TrainingResult {
    try run(
      in: folder, sinks: try surroundings.sinks("", folder), policy: surroundings.policy,
      cancellation: surroundings.cancellation, cohort: surroundings.cohort)
  }
}

/// A search, with what to tell a person about its results.
struct RemarkedSearch: Job {
  static let kind = SearchIdentity.kind

  private let job: SearchJob
  private let remarks: (SearchResult) throws -> [String]

  init(_ job: SearchJob, remarks: @escaping (SearchResult) throws -> [String]) {
    self.job = job
    self.remarks = remarks
  }

  var digest: String { get throws { try job.identity.digest } }

  func perform(in folder: RunFolder, _ surroundings: JobSurroundings) throws -> [SearchResult] {
    try job.run(
      in: folder, sinks: try surroundings.sinks("", folder), policy: surroundings.policy,
      cancellation: surroundings.cancellation, cohort: surroundings.cohort, remarks: remarks)
  }

  func finished(in folder: RunFolder) throws -> [SearchResult]? { try job.finished(in: folder) }
}
