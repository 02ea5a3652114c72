/// What is subtracted from samples in 0…1 and what they are then divided by, per channel.
public struct Normalization: Hashable, Codable, Sendable {
  /// One mean a channel.
  public let mean: [Float]
  /// One standard deviation a channel.
  public let std: [Float]

  /// Creates a normalization.
  ///
  /// - Precondition: as many means as deviations, 1 or 3; deviations are positive.
  public init(mean: [Float], std: [Float]) {
    precondition(mean.count == std.count && (mean.count == 1 || mean.count == 3), "one mean and deviation a channel")
    precondition(std.allSatisfy { $0 > 0 }, "standard deviations are positive, not \(std)")
    self.mean = mean
    self.std = std
  }

  /// The number of channels.
  public var channels: Int { mean.count }

  /// The statistics of ImageNet that torchvision uses.
  public static let imageNet = Normalization(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
  /// The statistics of CIFAR-10's training images.
  public static let cifar10 = Normalization(mean: [0.4914, 0.4822, 0.4465], std: [0.2470, 0.2435, 0.2616])
  /// The statistics of CIFAR-100's training images.
  public static let cifar100 = Normalization(mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762])
  /// The statistics of MNIST's training images.
  public static let mnist = Normalization(mean: [0.1307], std: [0.3081])
  /// The statistics of Fashion-MNIST's training images.
  public static let fashionMNIST = Normalization(mean: [0.2860], std: [0.3530])
  /// Brings grey images of unknown statistics to -1…1.
  public static let grey = Normalization(mean: [0.5], std: [0.5])

  /// The same for `wanted` channels: one value is repeated, three are averaged.
  public func converted(toChannels wanted: Int) -> Normalization {
    if wanted == channels { return self }
    func convert(_ values: [Float]) -> [Float] {
      wanted == 3 ? [values[0], values[0], values[0]] : [values.reduce(0, +) / 3]
    }
    return Normalization(mean: convert(mean), std: convert(std))
  }

  /// What each of the 256 sample values becomes, 256 entries a channel, computed in the order of PyTorch's `Normalize`.
  ///
  /// - Parameter shift: What is added to each channel before, in parts of the full range; empty for nothing.
  package func table(shift: [Float] = []) -> [Float] {
    (0..<channels).flatMap { channel in
      (0..<256).map { sample in
        let value = shift.isEmpty ? Float(sample) / 255 : Float(sample) / 255 + shift[channel]
        return (value - mean[channel]) / std[channel]
      }
    }
  }

  private enum CodingKeys: String, CodingKey {
    case mean
    case std
  }

  /// Reads and checks a normalization.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let mean = try container.decode([Float].self, forKey: .mean)
    let std = try container.decode([Float].self, forKey: .std)
    guard mean.count == std.count, mean.count == 1 || mean.count == 3, std.allSatisfy({ $0 > 0 }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .std, in: container, debugDescription: "1 or 3 means and as many positive deviations are needed")
    }
    self.init(mean: mean, std: std)
  }
}
