import ImageFiles
import Torch

/// Some samples, ready for a network.
public struct Batch {
  /// Images that are blends of two: the labels of the second ones, and the part of the first.
  public struct Mix {
    /// `[samples]`, int64: the classes of what was mixed in.
    public let labels: Tensor
    /// The part that is still of the batch's own labels, 0 to 1.
    public let weight: Double
  }

  /// `[samples, channels, height, width]`, float32, normalized.
  public let images: Tensor
  /// `[samples]`, int64.
  public let labels: Tensor
  /// The indices of the samples in their source.
  public let indices: [Int]
  /// What was mixed in; nil when nothing was.
  public let mix: Mix?
  /// Samples that were to be in the batch and cannot be used.
  public let skipped: [SkippedImage]

  /// Which samples these are of a batch that several processes share.
  public let place: BatchPlace

  /// The number of samples.
  public var count: Int { indices.count }
  /// The number of samples of all processes together.
  public var total: Int { place.whole }

  /// Creates a batch.
  ///
  /// - Parameter place: Which samples these are of a batch that several processes share; nil for all.
  public init(
    images: Tensor, labels: Tensor, indices: [Int], mix: Mix? = nil, skipped: [SkippedImage] = [],
    place: BatchPlace? = nil
  ) {
    self.images = images
    self.labels = labels
    self.indices = indices
    self.mix = mix
    self.skipped = skipped
    self.place = place ?? BatchPlace(first: 0, whole: indices.count)
  }
}
