import Diagnosis
import Torch

/// Carries out changes of width on a model in training.
///
/// Training decides when, and does not know how: that is the business of what merges and copies channels.
public protocol WidthAdapter {
  /// The bounds of the changes.
  var rules: AdaptationRules { get }
  /// Changes a model, and what an optimizer keeps of each of its parameters, in the same way.
  ///
  /// - Parameters:
  ///   - changes: What to do, in order.
  ///   - moments: Tensors of the parameters' shapes, by the name of the parameter, in several kinds.
  func carryOut(_ changes: [WidthChange], on model: Model, _ moments: [OptimizerMoment]) throws -> ResizedModel
}

/// A number that an optimizer keeps for each weight.
public struct OptimizerMoment {
  /// Whether new channels begin at zero; otherwise with the number of the channel that they come from.
  public var startsAtZero: Bool
  /// Tensors of the parameters' shapes, by name.
  public var tensors: [String: Tensor]

  /// Describes the numbers.
  public init(startsAtZero: Bool, _ tensors: [String: Tensor]) {
    self.startsAtZero = startsAtZero
    self.tensors = tensors
  }
}

/// A model after changes of width.
public struct ResizedModel {
  /// The model.
  public var model: Model
  /// What was kept of its weights, in the order in which it was given.
  public var moments: [OptimizerMoment]

  /// Describes the outcome.
  public init(_ model: Model, _ moments: [OptimizerMoment]) {
    self.model = model
    self.moments = moments
  }
}
