import Foundation

/// DMCP's `log_l1` budget loss with a tolerance below the target (Guo et al. 2020, section 3.3, as the official code has it).
///
/// log(ρ |E − T|) below 95 % of T, 0 from there up to T, log(ρ |E − 0.95 T|) from T on; ρ = 0.1 when |E − T| is more than
/// `far`, else 1. ρ changes the value and not the derivative.
public struct BudgetLoss: Sendable, Hashable {
  /// The budget T.
  public var target: Double
  /// Where the free band begins, as a part of T.
  public var tolerance: Double
  /// The distance beyond which ρ is 0.1; the official code's 200 MFLOPs.
  public var far: Double

  private static let guardTerm = 1e-6

  /// Creates the loss for a target in the official unit, millions of MACs.
  public init(target: Double, tolerance: Double = 0.95, far: Double = 200) {
    self.target = target
    self.tolerance = tolerance
    self.far = far
  }

  /// The loss in units of a hundredth of the target, so that networks of all sizes see the same numbers.
  public static let relative = BudgetLoss(target: 100)

  private func distance(_ expected: Double) -> Double? {
    if expected < tolerance * target { return expected - target }
    if expected < target { return nil }
    return expected - tolerance * target
  }

  /// The loss at an expected cost.
  public func value(_ expected: Double) -> Double {
    guard let distance = distance(expected) else { return 0 }
    let rho = abs(expected - target) > far ? 0.1 : 1
    return log(rho * abs(distance) + Self.guardTerm)
  }

  /// Its derivative for the expected cost.
  public func derivative(_ expected: Double) -> Double {
    guard let distance = distance(expected) else { return 0 }
    let rho = abs(expected - target) > far ? 0.1 : 1
    return (distance < 0 ? -rho : rho) / (rho * abs(distance) + Self.guardTerm)
  }
}
