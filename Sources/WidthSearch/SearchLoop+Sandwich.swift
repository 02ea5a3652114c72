import Loading
import Methods
import Torch
import Training

extension SearchLoop {
  /// One step on the weights of a supernet by the sandwich rule, with its cost: what DMCP and AutoSlim share.
  ///
  /// - Returns: The widest network's loss, on the device.
  func sandwichStep(
    _ supernet: Supernet, _ batch: Batch, narrowest: ExecutionPlan, drawn: [ExecutionPlan], dropout: Generator,
    optimizer: ParameterOptimizer, learningRate: Double
  ) throws -> Tensor {
    let update = update(supernet.model, optimizer)
    let loss = try update(learningRate: learningRate) {
      try supernet.accumulateSandwich(
        batch, narrower: [narrowest] + drawn, labelSmoothing: context.recipe.labelSmoothing, dropout: dropout,
        precision: context.recipe.precision, cohort: context.cohort, backward: update.backward)
    }
    cost.add("widest", images: batch.total, macs: supernet.model.plan.macs)
    cost.add("narrowest", images: batch.total, macs: narrowest.macs)
    for plan in drawn { cost.add("random", images: batch.total, macs: plan.macs) }
    return loss
  }
}
