import Loading
import Methods
import Torch
import Training

extension Model {
  /// The cross-entropy of a batch at full width, for a search that trains one network.
  ///
  /// Normalization takes the statistics of the batch; no running ones are kept, because the weights are thrown away.
  func taskLoss(_ batch: Batch, _ recipe: Recipe, dropout: Generator, cohort: Cohort = .single) throws -> Tensor {
    let options = cohort.options(
      ForwardOptions(.batch, dropout: dropout, reusesBuffers: recipe.precision == .float32), for: batch)
    let logits = try withAutocast(recipe.precision.scalarType, on: device) { try forward(batch.images, options) }
      .to(.float32)
    return try batch.crossEntropy(logits, labelSmoothing: recipe.labelSmoothing)
  }
}
