import Networks
import Torch

extension Model {
  /// Makes passes with gradients keep few activations and compute the others again for the derivative: the same result from less memory
  /// and up to a third more time.
  public func recomputeActivations() { recomputedParts = plan.recomputedParts }

  /// A pass whose activations inside of ``recomputedParts`` are computed again for the derivative.
  func recomputingForward(_ images: Tensor, as narrower: ExecutionPlan?, _ options: ForwardOptions) throws -> Tensor {
    let plan = narrower ?? self.plan
    let factors = options.channelScales.sorted { $0.key.description < $1.key.description }
    let tensors = parameters.map(\.tensor)
    var entering = images
    var computed = [Bool](repeating: true, count: plan.slotCount)
    for part in recomputedParts {
      for slot in part.computed.indices where part.computed[slot] { computed[slot] = false }
      entering = try recomputing(
        [entering] + factors.map(\.value), leaves: part.parameters.map { tensors[$0] },
        drawingFrom: part.draws ? options.dropout : nil
      ) { [self] inputs, again in
        var options = options
        // The running statistics have moved already.
        if again, options.normalization == .training { options.normalization = .batch }
        for (factor, value) in zip(factors, inputs.dropFirst()) { options.channelScales[factor.key] = value }
        var values = [Tensor?](repeating: nil, count: plan.slotCount)
        if part.input >= 0 { values[part.input] = inputs[0] }
        var kept = [Bool](repeating: false, count: plan.slotCount)
        kept[part.result] = true
        _ = try run(narrower, on: images, &values, computed: part.computed, kept: kept, options)
        return values[part.result]!
      }
    }
    var values = [Tensor?](repeating: nil, count: plan.slotCount)
    values[recomputedParts[recomputedParts.count - 1].result] = entering
    return try run(narrower, on: images, &values, computed: computed, options)
  }
}
