import Torch

/// Some samples, ready for a network.
public struct Batch: Sendable {
  /// `[samples, channels, height, width]`, float32, normalized.
  public let images: Tensor
  /// `[samples]`, int64.
  public let labels: Tensor
  /// The indices of the samples in their source.
  public let indices: [Int]

  /// The number of samples.
  public var count: Int { indices.count }

  /// Creates a batch.
  public init(images: Tensor, labels: Tensor, indices: [Int]) {
    self.images = images
    self.labels = labels
    self.indices = indices
  }
}
