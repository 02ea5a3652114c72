import Torch

/// The one place where gradients become a step on the weights, for training and for every search.
public struct WeightUpdate {
  private let parameters: [Tensor]
  private let optimizer: ParameterOptimizer
  private let clipNorm: Double?
  private let scaler: GradientScaler?
  private let cohort: Cohort

  /// Describes the steps on a model's parameters.
  ///
  /// - Parameter clipNorm: The largest norm of the gradients of a step, all together; nil for any.
  public init(
    _ model: Model, _ optimizer: ParameterOptimizer, clipNorm: Double? = nil, scaler: GradientScaler? = nil,
    cohort: Cohort = .single
  ) {
    parameters = model.tensors
    self.optimizer = optimizer
    self.clipNorm = clipNorm
    self.scaler = scaler
    self.cohort = cohort
  }

  /// Makes one step. Nothing is read from the device.
  ///
  /// - Parameters:
  ///   - accumulate: Computes losses, calls ``backward(_:)`` for each, and returns the one to tell of.
  ///   - adjusting: Changes gradients before the step: a regularizer's share.
  /// - Returns: The loss, on the device.
  public func callAsFunction(
    learningRate: Double, adjusting: () throws -> Void = {}, _ accumulate: () throws -> Tensor
  ) throws -> Tensor {
    try Tensor.clearGradients(parameters)
    let loss = try accumulate()
    try cohort.exchange(parameters)
    try adjusting()
    try scaler?.checkGradients(parameters)
    if let clipNorm { try clipGradients(of: parameters, norm: clipNorm, scaler: scaler) }
    try optimizer.step(learningRate: learningRate, scaler: scaler)
    try scaler?.update()
    return loss
  }

  /// Adds a loss's derivatives to the gradients, scaled for half precision.
  public func backward(_ loss: Tensor) throws { try (scaler?.scaled(loss) ?? loss).backward() }
}
