import ImageFiles
import Support

/// Makes the samples of a loader's batches, as bytes.
struct SampleReader: Sendable {
  /// One sample: its pixels, how they are to be moved and mirrored, and what is then added to its channels.
  struct Sample {
    var pixels: PixelImage
    var geometry: SampleGeometry
    var shift: [Float] = []
  }

  let source: any ImageSource
  let preparation: ImagePreparation
  let augmentation: Augmentation
  let color: ColorTransforms
  let seed: UInt64
  // Moves and mirrors bytes, and leaves their values as they are.
  private let mover: SampleWriter
  private static let identity = [UInt8](0...255)

  init(
    source: any ImageSource, preparation: ImagePreparation, augmentation: Augmentation, color: ColorTransforms,
    seed: UInt64
  ) {
    self.source = source
    self.preparation = preparation
    self.augmentation = augmentation
    self.color = color
    self.seed = seed
    mover = SampleWriter(resolution: preparation.resolution, channels: preparation.channels, channelsLast: true)
  }

  /// The draws for image `index`, of which `size` is what they choose from.
  func geometry(_ index: Int, epoch: Int, size: ImageSize) -> SampleGeometry {
    augmentation.geometry(seed: seed, epoch: epoch, sample: index, size: size)
  }

  /// The draws for an image that is resized as a whole.
  func geometryOfWhole(_ index: Int, epoch: Int) -> SampleGeometry {
    let side = preparation.resolution
    return geometry(index, epoch: epoch, size: ImageSize(width: side, height: side))
  }

  /// Image `index`, decoded now.
  ///
  /// - Throws: ``Support/FileFailure`` when it cannot be read or decoded.
  func sample(_ index: Int, epoch: Int) throws -> Sample {
    if augmentation.keepsWholeImages {
      return Sample(
        pixels: try preparation.plain(index, of: source, scalesInDecoder: augmentation != .none),
        geometry: geometryOfWhole(index, epoch: epoch))
    }
    var drawn = SampleGeometry.plain
    let image = try preparation.cropped(index, of: source) { size in
      drawn = geometry(index, epoch: epoch, size: size)
      return drawn.crop ?? PixelRectangle(left: 0, top: 0, width: size.width, height: size.height)
    }
    return Sample(pixels: image, geometry: drawn)
  }

  /// The sample with its colours varied. Geometry comes before colour, as in torchvision's order of transforms, so it is
  /// carried out here.
  func colored(_ sample: Sample, index: Int, epoch: Int) -> Sample {
    guard !color.isEmpty else { return sample }
    var moved = [UInt8](repeating: 0, count: mover.length)
    let table = (0..<preparation.channels).flatMap { _ in Self.identity }
    sample.pixels.pixels.withUnsafeBufferPointer { pixels in
      moved.withUnsafeMutableBufferPointer { mover.write(pixels, sample.geometry, table, to: $0) }
    }
    var generator = SeededGenerator(seed: seed, .color, at: epoch, index)
    let image = PixelImage(
      width: preparation.resolution, height: preparation.resolution, channels: preparation.channels, pixels: moved)
    let (pixels, shift) = color.apply(to: image, &generator)
    return Sample(pixels: pixels, geometry: .plain, shift: shift)
  }
}

extension Augmentation {
  /// Whether images are resized as a whole, the same in every epoch.
  var keepsWholeImages: Bool {
    if case .randomResizedCrop = self { false } else { true }
  }
}
