import Torch

/// The processes that train one model together; today one.
///
/// Every backward pass ends in ``exchange``, every decision to stop in ``agree``, every file is written by the one that
/// ``isWriter``. Data-parallel training is another value of this type.
public struct Cohort {
  /// Whether this process writes checkpoints, results and events.
  public var isWriter: Bool
  /// Makes the gradients of the parameters those of all processes' samples.
  public var exchange: ([Tensor]) throws -> Void
  /// The signal that stops all processes after this step, given the one that this process has received.
  public var agree: (Int32?) throws -> Int32?

  /// Describes a cohort.
  public init(
    isWriter: Bool, exchange: @escaping ([Tensor]) throws -> Void, agree: @escaping (Int32?) throws -> Int32?
  ) {
    self.isWriter = isWriter
    self.exchange = exchange
    self.agree = agree
  }

  /// This process alone.
  public static var single: Cohort { Cohort(isWriter: true, exchange: { _ in }, agree: { $0 }) }
}
