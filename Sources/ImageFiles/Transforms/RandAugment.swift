import Support

/// Transforms images by operations drawn at random, all of one strength (Cubuk et al., "RandAugment: Practical automated data
/// augmentation with a reduced search space", 2019).
///
/// Operations and their strengths are those of torchvision's class of that name with its defaults: 14 operations, 31
/// magnitudes, nearest pixels, black where an image has moved away.
public struct RandAugment: Hashable, Sendable, Encodable {
  /// How many operations are applied to an image, one after another; the same one may be drawn again.
  public var operations: Int
  /// How strong they are, from 0 to 30.
  ///
  /// Even 0 changes images, since not all operations have a strength.
  public var magnitude: Int

  /// Creates a random augmentation; the defaults are torchvision's.
  public init(operations: Int = 2, magnitude: Int = 9) {
    self.operations = operations
    self.magnitude = magnitude
  }

  /// Throws unless the values make sense.
  ///
  /// - Throws: ``Support/UsageFailure``.
  public func validate() throws {
    guard (0...16).contains(operations) else {
      throw UsageFailure("randAugment: operations is \(operations); it lies in 0...16")
    }
    guard (0..<RandAugmentOperation.magnitudeBins).contains(magnitude) else {
      throw UsageFailure("randAugment: magnitude is \(magnitude); it lies in 0...30")
    }
  }

  /// The image after operations drawn from `generator`: for each of them two draws, which one and with which sign.
  func apply(to image: PixelImage, _ generator: inout SeededGenerator) -> PixelImage {
    var image = image
    for _ in 0..<operations {
      let (operation, sign) = Self.draw(from: &generator)
      image = operation.apply(to: image, magnitude: sign * operation.magnitude(at: magnitude, size: image.size))
    }
    return image
  }

  /// An operation and the sign of its magnitude.
  ///
  /// The sign is drawn for operations without one too, so that the place of later draws does not depend on earlier ones.
  static func draw(from generator: inout SeededGenerator) -> (operation: RandAugmentOperation, sign: Double) {
    let all = RandAugmentOperation.allCases
    let operation = all[generator.nextInt(below: all.count)]
    let isNegative = generator.nextInt(below: 2) == 1
    return (operation, operation.isSigned && isNegative ? -1 : 1)
  }
}
