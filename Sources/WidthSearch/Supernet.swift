import Loading
import Methods
import Networks
import Support
import Torch
import Training

/// A slimmable network: one set of weights at full width, trained so that its front slices work too (US-Nets).
///
/// Yu & Huang, "Universally Slimmable Networks and Improved Training Techniques" (ICCV 2019). Departures: none of the
/// passes keeps running statistics, which would mix widths; whoever evaluates recalibrates.
public final class Supernet {
  /// The weights at full width.
  public let model: Model

  /// The network at full width, resolved.
  public var resolved: ResolvedNetwork { model.plan.resolved }

  /// Creates a supernet with random weights.
  public init(_ network: ResolvedNetwork, seed: Int, device: Device) throws {
    model = try Model(network, seed: seed, device: device)
  }

  /// The plan of a sub-network.
  ///
  /// - Throws: `UsageFailure` when a width is larger than the supernet's, `NetworkFailure` when the widths do not fit.
  public func plan(_ widths: Widths) throws -> ExecutionPlan {
    for group in resolved.widthGroups {
      guard let width = widths[group.id], width > group.width else { continue }
      throw UsageFailure("\(group.id): a sub-network of \(width) channels does not fit into one of \(group.width)")
    }
    return try ExecutionPlan(resolved.network(with: widths))
  }

  /// One pass of the sandwich rule over a mini-batch, gradients summed and not applied.
  ///
  /// The widest network learns from the labels; every narrower one from the widest one's output, detached, at
  /// temperature 1 (in-place distillation).
  ///
  /// - Parameters:
  ///   - narrower: The other sub-networks of the step: the narrowest and some random ones.
  ///   - cohort: Who makes the step along, each with its share of the batch.
  ///   - backward: Adds a loss's derivatives to the gradients.
  /// - Returns: The widest network's loss.
  public func accumulateSandwich(
    _ batch: Batch, narrower: [ExecutionPlan], labelSmoothing: Double, dropout: Generator? = nil,
    precision: Recipe.Precision = .float32, cohort: Cohort = .single,
    backward: (Tensor) throws -> Void = { try $0.backward() }
  ) throws -> Tensor {
    let options = cohort.options(
      ForwardOptions(.batch, dropout: dropout, reusesBuffers: precision == .float32), for: batch)
    func logits(_ plan: ExecutionPlan?) throws -> Tensor {
      try withAutocast(precision.scalarType, on: model.device) { try model.forward(batch.images, as: plan, options) }
        .to(.float32)
    }
    let widest = try logits(nil)
    let loss = try batch.crossEntropy(widest, labelSmoothing: labelSmoothing)
    try backward(loss)
    let teacher = try widest.detached().softmax()
    for plan in narrower { try backward(logits(plan).klDivergence(from: teacher)) }
    return try loss.detached()
  }
}
