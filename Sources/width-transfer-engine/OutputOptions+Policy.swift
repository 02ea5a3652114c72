import Commands
import Experiments
import Records
import Training

extension OutputOptions {
  /// When to save.
  var policy: CheckpointPolicy { CheckpointPolicy(steps: checkpointSteps) }

  /// Who listens to the jobs of a plan, and when they save.
  func surroundings(_ general: GeneralOptions) -> JobSurroundings {
    JobSurroundings(sinks: { try sinks($0, in: $1, general) }, policy: policy)
  }
}
