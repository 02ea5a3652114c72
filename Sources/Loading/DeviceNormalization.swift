import ImageFiles
import Torch

/// Normalization on the device that trains: a quarter of the bytes travel there, and it has more arithmetic to spare.
struct DeviceNormalization {
  let normalization: Normalization
  let device: Device

  /// Images as a network sees them, with the same bits as ``Normalization/table(shift:)`` gives.
  ///
  /// - Parameters:
  ///   - images: `[N, C, H, W]` bytes, on the host.
  ///   - shifts: What is added to each channel of each image, in parts of the full range; empty for nothing.
  func normalized(_ images: Tensor, shifts: [[Float]]) throws -> Tensor {
    func perChannel(_ values: [Float]) throws -> Tensor {
      try Tensor(values, shape: [1, normalization.channels, 1, 1], device: device)
    }
    let full = try Tensor([Float(255)], shape: [1, 1, 1, 1], device: device)
    var values = try images.to(device, nonBlocking: true).to(.float32) / full
    if !shifts.isEmpty {
      values =
        try values + Tensor(shifts.flatMap { $0 }, shape: [shifts.count, normalization.channels, 1, 1], device: device)
    }
    return try (values - perChannel(normalization.mean)) / perChannel(normalization.std)
  }
}
