import Foundation
import Support

/// Where the pixels of one sample come from: the random draws of its augmentation.
///
/// They depend on seed, epoch and sample alone, in a fixed order of draws.
package struct SampleGeometry: Hashable, Sendable {
  /// The part of the decoded image that is resized to the resolution; nil for the part that evaluation sees.
  package var crop: PixelRectangle?
  /// How far the resized image is moved before what stands out is cut off and the rest is black.
  package var offset = (x: 0, y: 0)
  /// Whether columns are mirrored.
  package var isFlipped = false

  /// No variation at all.
  package static let plain = SampleGeometry()

  package static func == (a: SampleGeometry, b: SampleGeometry) -> Bool {
    a.crop == b.crop && a.offset == b.offset && a.isFlipped == b.isFlipped
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(crop)
    hasher.combine(offset.x)
    hasher.combine(offset.y)
    hasher.combine(isFlipped)
  }
}

extension Augmentation {
  /// The draws for one sample; `size` is its full size, of use only to a random resized crop.
  package func geometry(seed: UInt64, epoch: Int, sample: Int, size: ImageSize) -> SampleGeometry {
    var generator = SeededGenerator(seed: seed, .augmentation, at: epoch, sample)
    switch self {
    case .none:
      return .plain
    case .padCropFlip(let padding, let flip):
      let x = generator.nextInt(below: 2 * padding + 1) - padding
      let y = generator.nextInt(below: 2 * padding + 1) - padding
      return SampleGeometry(offset: (x, y), isFlipped: flip && generator.nextInt(below: 2) == 1)
    case .randomResizedCrop(let minimumScale, let flip):
      let crop = Self.randomCrop(of: size, minimumScale: minimumScale, &generator)
      return SampleGeometry(crop: crop, isFlipped: flip && generator.nextInt(below: 2) == 1)
    }
  }

  /// torchvision's `RandomResizedCrop.get_params`: ten attempts, then the middle of the image.
  private static func randomCrop(
    of size: ImageSize, minimumScale: Double, _ generator: inout SeededGenerator
  ) -> PixelRectangle {
    let area = Double(size.width * size.height)
    let (narrowest, widest) = (log(3.0 / 4.0), log(4.0 / 3.0))
    for _ in 0..<10 {
      let targetArea = area * (minimumScale + (1 - minimumScale) * generator.nextUnit())
      let aspect = exp(narrowest + (widest - narrowest) * generator.nextUnit())
      let width = Int((targetArea * aspect).squareRoot().rounded())
      let height = Int((targetArea / aspect).squareRoot().rounded())
      if width > 0, height > 0, width <= size.width, height <= size.height {
        let top = generator.nextInt(below: size.height - height + 1)
        let left = generator.nextInt(below: size.width - width + 1)
        return PixelRectangle(left: left, top: top, width: width, height: height)
      }
    }
    let aspect = Double(size.width) / Double(size.height)
    var (width, height) = (size.width, size.height)
    if aspect < 3.0 / 4.0 {
      height = min(size.height, Int((Double(width) / (3.0 / 4.0)).rounded()))
    } else if aspect > 4.0 / 3.0 {
      width = min(size.width, Int((Double(height) * (4.0 / 3.0)).rounded()))
    }
    return PixelRectangle(
      left: (size.width - width) / 2, top: (size.height - height) / 2, width: width, height: height)
  }
}
