import Loading
import Records
import Torch

/// What a ``StepLoop`` carries out step by step: a training, or one of the searches.
public protocol StepWork: AnyObject {
  /// What a checkpoint keeps of it beside the tensors: small, on the host.
  associatedtype State: Codable
  /// What a checkpoint keeps of it beside the tensors.
  var state: State { get }
  /// What a checkpoint keeps in full.
  var tensors: [(name: String, tensor: Tensor)] { get throws }
  /// The model that must be finite to be saved.
  var model: Model { get }
  /// What a step is called for people: `step`, `search step`.
  var unit: String { get }
  /// The setting of the learning rate, for messages.
  var rateSetting: String { get }
  /// The learning rate of a step, for messages.
  func learningRate(at step: Int) -> Double
  /// One step on a batch.
  ///
  /// - Returns: The loss, on the device; the loop decides when the host reads it.
  func step(on batch: Batch) throws -> Tensor
  /// Called after the last step of an epoch, before anything is told or saved of it.
  ///
  /// - Throws: `Interrupted` when it was asked to stop; the loop saves, and calls this again when it goes on.
  func endEpoch(_ epoch: Int) throws -> EpochEnd
  /// Called after each step.
  ///
  /// - Parameter endsStage: Whether the stage of the work ends here.
  func didStep(endsStage: Bool) throws
  /// What to tell of the last steps, about once a second; nil for nothing.
  func event(loss: Double, imagesPerSecond: Double) throws -> RunEvent?
  /// Whether the end of a stage is told of, too.
  var tellsStageEnds: Bool { get }
}

/// What the end of an epoch means for the loop.
public struct EpochEnd: Sendable, Equatable {
  /// Whether the stage of the work is over.
  public var isEnough: Bool
  /// Whether a checkpoint is written.
  public var saves: Bool

  /// Describes an end.
  public init(isEnough: Bool = false, saves: Bool = false) {
    self.isEnough = isEnough
    self.saves = saves
  }
}

extension StepWork {
  /// `learning-rate`.
  public var rateSetting: String { "learning-rate" }
}
