import ImageFiles
import Loading
import Methods
import Torch

extension HeldOutPart {
  /// Batches of nearly equal size, at least ``batchSize`` where there are as many images.
  public func loader(
    _ indices: [Int], of source: any ImageSource, resolution: Int, normalization: Normalization,
    onBadImage: BadImagePolicy = .fail, device: Device = .cpu, threads: Int = 1
  ) throws -> BatchLoader {
    let batches = max(1, indices.count / max(1, batchSize))
    return try BatchLoader(
      source: source, indices: indices, batchSize: max(1, (indices.count + batches - 1) / batches),
      resolution: resolution, normalization: normalization, onBadImage: onBadImage, device: device, threads: threads)
  }
}
