import Foundation
import Records
import Torch

/// The one place where gradients become a step on the weights, for training and for every search.
public final class WeightUpdate {
  private let parameters: [Tensor]
  private let optimizer: ParameterOptimizer
  private let clipNorm: Double?
  private let scaler: GradientScaler?
  private let cohort: Cohort
  private let weight: Double
  private let hasOnePass: Bool
  private var reducer: GradientReducer?
  private var isReduced = false
  // Averages that were not made by the reducer: how many, and seconds of them.
  private var (averages, averageSeconds) = (0, 0.0)
  // Of the step's first loss, which is the one that is told of.
  private var told: PendingSum?

  /// Describes the steps on a model's parameters.
  ///
  /// - Parameters:
  ///   - clipNorm: The largest norm of the gradients of a step, all together; nil for any.
  ///   - cohort: Who makes the steps along.
  ///   - batchSize: Samples of a whole batch, of which a process of the cohort has a share.
  ///   - hasOnePass: Whether a step has one backward pass, during which gradients can be sent already.
  public init(
    _ model: Model, _ optimizer: ParameterOptimizer, clipNorm: Double? = nil, scaler: GradientScaler? = nil,
    cohort: Cohort = .single, batchSize: Int = 1, hasOnePass: Bool = false
  ) {
    parameters = model.tensors
    self.optimizer = optimizer
    self.clipNorm = clipNorm
    self.scaler = scaler
    self.cohort = cohort
    self.hasOnePass = hasOnePass
    weight = cohort.weight(batchSize: batchSize)
  }

  /// Makes one step. Nothing is read from the device.
  ///
  /// - Parameters:
  ///   - accumulate: Computes losses, calls ``backward(_:)`` for each, and returns the one to tell of, which is the first.
  ///   - adjusting: Changes gradients before the step: a regularizer's share.
  /// - Returns: The loss, on the device.
  public func callAsFunction(
    learningRate: Double, adjusting: () throws -> Void = {}, _ accumulate: () throws -> Tensor
  ) throws -> Tensor {
    try Tensor.clearGradients(parameters)
    (isReduced, told) = (false, nil)
    var loss = try accumulate()
    if !isReduced { try average() }
    // Before the weights change, so that whoever fails to hear of the others stands where the step began.
    if let told { loss = try cohort.mean(told) }
    told = nil
    try adjusting()
    try scaler?.checkGradients(parameters)
    if let clipNorm { try clipGradients(of: parameters, norm: clipNorm, scaler: scaler) }
    cohort.isBeforeUpdate = false
    try optimizer.step(learningRate: learningRate, scaler: scaler)
    try scaler?.update()
    return loss
  }

  /// Adds a loss's derivatives to the gradients, scaled for half precision.
  ///
  /// - Throws: `GroupFailure` when the cohort's other processes cannot be reached.
  public func backward(_ loss: Tensor) throws {
    let weighted = weight == 1 ? loss : try loss * weight
    if told == nil { told = try cohort.beginMean(weighted) }
    let scaled = try scaler?.scaled(weighted) ?? weighted
    if hasOnePass, reducer == nil { reducer = try cohort.reducer(of: parameters) }
    try cohort.speaking {
      guard let reducer else { return try scaled.backward() }
      try reducer.averaging { try scaled.backward() }
      isReduced = true
    }
  }

  /// What sending gradients took so far; nil for one process.
  public var exchange: GradientExchange? {
    guard !cohort.isSingle else { return nil }
    let sent = parameters.filter { $0.gradient != nil }
    var found = GradientExchange(
      processes: cohort.size, bytes: sent.reduce(0) { $0 + $1.count * $1.scalarType.byteCount })
    if let times = reducer?.times {
      (found.seconds, found.hiddenSeconds, found.backwardSeconds) = (times.exchange, times.overlap, times.backward)
    } else if averages > 0, sent.first?.device == .cpu {
      // Elsewhere the call returns before the work is done.
      (found.seconds, found.hiddenSeconds) = (averageSeconds / Double(averages), 0)
    }
    return found
  }

  private func average() throws {
    guard !cohort.isSingle else { return }
    let start = Date()
    try cohort.average(gradientsOf: parameters)
    averageSeconds += Date().timeIntervalSince(start)
    averages += 1
  }
}
