/// The operations of ``RandAugment``, in the order of torchvision's.
enum RandAugmentOperation: String, CaseIterable {
  case identity
  case shearX
  case shearY
  case translateX
  case translateY
  case rotate
  case brightness
  case color
  case contrast
  case sharpness
  case posterize
  case solarize
  case autoContrast
  case equalize

  /// How many magnitudes there are, from the weakest to the strongest.
  static let magnitudeBins = 31

  /// Whether half of the magnitudes drawn are negative.
  var isSigned: Bool {
    switch self {
    case .identity, .posterize, .solarize, .autoContrast, .equalize: false
    case .shearX, .shearY, .translateX, .translateY, .rotate, .brightness, .color, .contrast, .sharpness: true
    }
  }

  /// What a magnitude from 0 to 30 means to this operation, for an image of a size.
  func magnitude(at bin: Int, size: ImageSize) -> Double {
    switch self {
    case .identity, .autoContrast, .equalize: 0
    case .shearX, .shearY: Self.evenlySpaced(from: 0, to: 0.3, at: bin)
    case .translateX: Self.evenlySpaced(from: 0, to: 150.0 / 331.0 * Double(size.width), at: bin)
    case .translateY: Self.evenlySpaced(from: 0, to: 150.0 / 331.0 * Double(size.height), at: bin)
    case .rotate: Self.evenlySpaced(from: 0, to: 30, at: bin)
    case .brightness, .color, .contrast, .sharpness: Self.evenlySpaced(from: 0, to: 0.9, at: bin)
    case .posterize: 8 - (Double(bin) / 7.5).rounded(.toNearestOrEven)
    case .solarize: Self.evenlySpaced(from: 255, to: 0, at: bin)
    }
  }

  /// The image after this operation; magnitudes are those of ``magnitude(at:size:)``, or their opposites.
  func apply(to image: PixelImage, magnitude: Double) -> PixelImage {
    switch self {
    case .identity: image
    case .shearX: image.transformed(by: .shear(x: magnitude))
    case .shearY: image.transformed(by: .shear(y: magnitude))
    case .translateX: image.transformed(by: .translation(x: Int(magnitude), y: 0))
    case .translateY: image.transformed(by: .translation(x: 0, y: Int(magnitude)))
    case .rotate: image.transformed(by: .rotation(degrees: magnitude, size: image.size))
    case .brightness: image.adjustingBrightness(by: 1 + magnitude)
    case .color: image.adjustingSaturation(by: 1 + magnitude)
    case .contrast: image.adjustingContrast(by: 1 + magnitude)
    case .sharpness: image.adjustingSharpness(by: 1 + magnitude)
    case .posterize: image.posterized(bits: Int(magnitude))
    case .solarize: image.solarized(threshold: magnitude)
    case .autoContrast: image.autocontrasted()
    case .equalize: image.equalized()
    }
  }

  /// The magnitude as `torch.linspace` gives it on processors with fused multiplication: in 32 bits, counted from the nearer
  /// end, and rounded once.
  private static func evenlySpaced(from first: Float, to last: Double, at bin: Int) -> Double {
    let last = Float(last)
    let step = (last - first) / Float(magnitudeBins - 1)
    return Double(
      bin < magnitudeBins / 2
        ? first.addingProduct(step, Float(bin)) : last.addingProduct(-step, Float(magnitudeBins - 1 - bin)))
  }
}
