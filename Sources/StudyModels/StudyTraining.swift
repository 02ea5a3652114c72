import Diagnosis
import Torch

/// A training of a model that is no `Network`, epoch by epoch. Everything random in an epoch is a function of the seed and the epoch's number.
public protocol StudyTraining: AnyObject {
  /// Epochs of the whole training.
  var epochs: Int { get }
  /// The learnable tensors by name.
  var parameters: [(name: String, tensor: Tensor)] { get }
  /// What makes the steps.
  var optimizer: Adam { get }
  /// Whose norms are followed; the first is the one that the study shows.
  var groups: [ChannelGroup] { get }
  /// Trains one epoch.
  ///
  /// - Parameters:
  ///   - epoch: Its number, from 0.
  ///   - check: Asked before every step; what it throws ends the training.
  /// - Returns: The mean loss, and the learning rate of the last step.
  func train(epoch: Int, check: () throws -> Void) throws -> (loss: Double, learningRate: Double)
  /// The score on data that was not trained on.
  func score(check: () throws -> Void) throws -> Double
}

extension StudyTraining {
  /// The tensor of a name.
  ///
  /// - Throws: `UsageFailure` when there is none.
  public func tensor(named name: String) throws -> Tensor { try parameters.tensor(named: name) }

  /// Everything that the next epoch depends on.
  var state: [(name: String, tensor: Tensor)] {
    func named(_ kind: String, _ tensors: [Tensor]) -> [(name: String, tensor: Tensor)] {
      zip(parameters, tensors).map { ("\(kind).\($0.name)", $1) }
    }
    return named("model", parameters.map(\.tensor)) + named("first_moment", optimizer.firstMoments)
      + named("second_moment", optimizer.secondMoments) + named("steps", optimizer.steps)
  }

  /// One step of descent along the gradients of a loss.
  func step(_ loss: Tensor, learningRate: Double, clipNorm: Double? = nil) throws {
    let tensors = parameters.map(\.tensor)
    try Tensor.clearGradients(tensors)
    try loss.backward()
    if let clipNorm { try clipGradients(of: tensors, norm: clipNorm) }
    try optimizer.step(learningRate: learningRate)
  }
}
