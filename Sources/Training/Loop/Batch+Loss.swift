import Loading
import Torch

extension Batch {
  /// The mean cross-entropy of a network's outputs for this batch; of mixed images, that of both their classes by their parts.
  ///
  /// - Parameter logits: `[samples, classes]`, float32.
  public func crossEntropy(_ logits: Tensor, labelSmoothing: Double = 0) throws -> Tensor {
    let own = try logits.crossEntropy(labels, labelSmoothing: labelSmoothing)
    guard let mix else { return own }
    let other = try logits.crossEntropy(mix.labels, labelSmoothing: labelSmoothing)
    return try own * mix.weight + other * (1 - mix.weight)
  }
}
