import Networks
import Torch

/// Running mean and variance of every batch normalization of a model, in the order of the network's layers.
public final class BatchStatistics {
  /// One mean a batch normalization, [channels].
  public let means: [Tensor]
  /// One unbiased variance a batch normalization, [channels].
  public let variances: [Tensor]
  /// Batches seen by each, PyTorch's `num_batches_tracked`.
  public internal(set) var batchesTracked: [Int]

  /// Creates statistics at their initial values, mean 0 and variance 1.
  public init(channels: [Int], _ type: ScalarType = .float32, device: Device) throws {
    means = try channels.map { try Tensor.zeros([$0], type, device: device) }
    variances = try channels.map { try Tensor.ones([$0], type, device: device) }
    batchesTracked = channels.map { _ in 0 }
  }

  /// Creates statistics at their initial values for a network, which may be narrower than the model that runs it.
  public convenience init(for plan: ExecutionPlan, _ type: ScalarType = .float32, device: Device) throws {
    try self.init(
      channels: plan.normalizations.map { plan.resolved.layers[$0].output.channels }, type, device: device)
  }

  /// Starts afresh, for a recalibration.
  public func reset() throws {
    for tensor in means { try tensor.fill(0) }
    for tensor in variances { try tensor.fill(1) }
    batchesTracked = batchesTracked.map { _ in 0 }
  }
}
