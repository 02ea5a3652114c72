import Foundation
import Networks

/// The learning rate as a function of the step.
public struct Schedule: Codable, Sendable, Hashable {
  /// How the rate falls after the warm-up.
  public enum Shape: Codable, Sendable, Hashable {
    /// It does not.
    case constant
    /// By half a cosine from the peak to the final rate.
    case cosine
    /// Along a line from the peak to the final rate.
    case linear
    /// By `factor` at each of the given fractions of the run.
    case step(at: [Double], factor: Double)
  }

  /// The rate at the end of the warm-up.
  public var peak: Double
  /// The rate at the start of the warm-up.
  public var initial: Double
  /// The rate that a cosine or linear schedule ends with.
  public var final: Double
  /// How the rate falls after the warm-up.
  public var shape: Shape
  /// Steps of the warm-up.
  public var warmUpSteps: Int
  /// Steps in all.
  public var totalSteps: Int

  /// Creates a schedule.
  public init(
    peak: Double, initial: Double = 0, final: Double = 0, shape: Shape = .cosine, warmUpSteps: Int = 0,
    totalSteps: Int
  ) {
    self.peak = peak
    self.initial = initial
    self.final = final
    self.shape = shape
    self.warmUpSteps = warmUpSteps
    self.totalSteps = totalSteps
  }

  /// The learning rate of a step, counted from 0: the rule of DMCP's code (`utils/lr_scheduler.py`).
  ///
  /// For i < warm-up: initial + (peak − initial) · i / warm-up. After it a cosine falls as
  /// final + (peak − final) · (1 + cos(π (i − warm-up) / (total − warm-up))) / 2.
  public func rate(at step: Int) -> Double {
    if step < warmUpSteps { return initial + (peak - initial) * Double(step) / Double(warmUpSteps) }
    let length = max(totalSteps - warmUpSteps, 1)
    let progress = min(Double(step - warmUpSteps) / Double(length), 1)
    switch shape {
    case .constant: return peak
    case .cosine: return final + (peak - final) * (1 + cos(Double.pi * progress)) / 2
    case .linear: return peak + (final - peak) * progress
    case .step(let fractions, let factor):
      let passed = fractions.filter { Double(step) >= $0 * Double(totalSteps) }.count
      return peak * pow(factor, Double(passed))
    }
  }
}
