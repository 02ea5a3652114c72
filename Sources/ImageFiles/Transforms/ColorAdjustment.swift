/// One adjustment of ``ColorJitter`` with its factor.
enum ColorAdjustment: Hashable {
  case brightness(Double)
  case contrast(Double)
  case saturation(Double)
  case hue(Double)

  /// The image after this adjustment.
  func apply(to image: PixelImage) -> PixelImage {
    switch self {
    case .brightness(let factor): image.adjustingBrightness(by: factor)
    case .contrast(let factor): image.adjustingContrast(by: factor)
    case .saturation(let factor): image.adjustingSaturation(by: factor)
    case .hue(let factor): image.adjustingHue(by: factor)
    }
  }
}
