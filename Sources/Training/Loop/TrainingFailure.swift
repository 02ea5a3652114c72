import Support

/// A training that cannot go on.
public struct TrainingFailure: Failure, Equatable {
  /// What happened and what to do.
  public let message: String
  /// 65: the numbers went bad, not the program.
  public var exitCode: ExitStatus { .badData }

  /// The loss is infinite or not a number.
  ///
  /// - Parameter setting: The setting of the learning rate.
  public static func nonFiniteLoss(
    _ loss: Double, step: Int, lastGoodStep: Int?, learningRate: Double, setting: String = "learning-rate"
  ) -> TrainingFailure {
    let kept = lastGoodStep.map { "the checkpoint of step \($0) is kept" } ?? "there is no checkpoint yet"
    return TrainingFailure(
      message: "the training loss became \(text(loss)) at step \(step) (learning rate \(learningRate)); \(kept). "
        + "Lower `\(setting)` or lengthen the warm-up, and start with a new `output`")
  }

  /// The mean loss of an epoch of a study's training is infinite or not a number.
  public static func nonFiniteLoss(_ loss: Double, epoch: Int) -> TrainingFailure {
    TrainingFailure(
      message: "the training diverged: its loss in epoch \(epoch) is \(loss); another seed or less data may do")
  }

  /// The loss on held-out images is infinite or not a number.
  public static func nonFiniteEvaluation(_ loss: Double, step: Int, lastGoodStep: Int?) -> TrainingFailure {
    let kept = lastGoodStep.map { "the checkpoint of step \($0) is kept" } ?? "there is no checkpoint yet"
    return TrainingFailure(
      message: "the held-out loss became \(text(loss)) after step \(step): the training diverged; \(kept). "
        + "Lower `learning-rate` or lengthen the warm-up, and train into a new `output`")
  }

  /// The loss was finite and the step that it led to was not.
  public static func nonFiniteWeights(
    step: Int, lastGoodStep: Int?, setting: String = "learning-rate"
  ) -> TrainingFailure {
    let kept = lastGoodStep.map { "the checkpoint of step \($0) is kept" } ?? "there is no checkpoint yet"
    return TrainingFailure(
      message: "the weights are no longer finite numbers after step \(step); \(kept). "
        + "Lower `\(setting)` or lengthen the warm-up, and start with a new `output`")
  }

  // The sign of a number that is none says nothing.
  private static func text(_ loss: Double) -> String { loss.isNaN ? "nan" : "\(loss)" }
}
