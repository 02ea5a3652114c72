import Commands
import Training

extension OutputOptions {
  /// When to save.
  var policy: CheckpointPolicy { CheckpointPolicy(steps: checkpointSteps) }
}
