import ImageFiles
import Torch

extension Dataset {
  /// A loader over the held-out images: in their order, without variation, with the last partial batch.
  ///
  /// - Throws: what the initializer of ``Loading/BatchLoader`` throws.
  public func heldOutLoader(
    batchSize: Int, resolution: Int? = nil, channels: Int? = nil, device: Device = .cpu, channelsLast: Bool = true,
    threads: Int = 1, share: BatchShare = .whole
  ) throws -> BatchLoader {
    try BatchLoader(
      source: heldOut, batchSize: batchSize, resolution: resolution ?? self.resolution, channels: channels,
      normalization: normalization, onBadImage: onBadImage, device: device, channelsLast: channelsLast,
      threads: threads,
      share: share)
  }
}
