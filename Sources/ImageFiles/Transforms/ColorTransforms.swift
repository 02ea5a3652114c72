import Support

/// How training images are varied at random beyond their geometry; what is nil is left out.
///
/// ``RandAugment`` comes first, then ``ColorJitter``, then ``LightingNoise``.
public struct ColorTransforms: Hashable, Sendable, Encodable {
  /// Operations of one strength, drawn at random.
  public var randAugment: RandAugment?
  /// Random brightness, contrast, saturation and hue.
  public var colorJitter: ColorJitter?
  /// A random shift of all colours of an image.
  public var lighting: LightingNoise?

  /// Creates transforms; without arguments there are none.
  public init(colorJitter: ColorJitter? = nil, randAugment: RandAugment? = nil, lighting: LightingNoise? = nil) {
    self.colorJitter = colorJitter
    self.randAugment = randAugment
    self.lighting = lighting
  }

  /// Whether there is nothing to do.
  public var isEmpty: Bool { colorJitter == nil && randAugment == nil && lighting == nil }

  /// Throws unless the values of all transforms make sense.
  ///
  /// - Throws: ``Support/UsageFailure``.
  public func validate() throws {
    try colorJitter?.validate()
    try randAugment?.validate()
    try lighting?.validate()
  }

  /// The transformed image, and what is still to be added to each of its channels, in units of pixels from 0 to 1: nothing
  /// (an empty array) without ``lighting``.
  ///
  /// The shift is not applied to the image, since its samples have 8 bits. All draws come from `generator`, in the order of
  /// the transforms.
  package func apply(to image: PixelImage, _ generator: inout SeededGenerator) -> (PixelImage, shift: [Float]) {
    var image = image
    if let randAugment { image = randAugment.apply(to: image, &generator) }
    if let colorJitter { image = colorJitter.apply(to: image, &generator) }
    return (image, lighting?.shift(channels: image.channels, &generator) ?? [])
  }
}
