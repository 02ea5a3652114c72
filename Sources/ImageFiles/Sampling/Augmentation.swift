import Support

/// How training images are varied at random.
public enum Augmentation: Hashable, Sendable {
  /// Not at all.
  case none
  /// Black pixels are put around the image, a crop of the old size is taken, and half of the crops are mirrored: the usual
  /// augmentation of CIFAR (He et al., "Deep Residual Learning", 2015, section 4.2).
  case padCropFlip(padding: Int, flip: Bool)
  /// A rectangle of random area (at least the fraction `minimumScale`) and aspect (3/4 to 4/3) is resized to the wanted
  /// resolution, and half of them are mirrored: the usual augmentation of ImageNet (Szegedy et al., 2014).
  case randomResizedCrop(minimumScale: Double, flip: Bool)

  /// Throws unless the values make sense.
  ///
  /// - Throws: ``Support/UsageFailure``.
  public func validate() throws {
    switch self {
    case .none: break
    case .padCropFlip(let padding, _):
      guard (0...1024).contains(padding) else {
        throw UsageFailure("augmentation padCropFlip: padding is \(padding); it lies in 0...1024")
      }
    case .randomResizedCrop(let minimumScale, _):
      guard minimumScale > 0, minimumScale <= 1 else {
        throw UsageFailure("augmentation randomResizedCrop: minimumScale is \(minimumScale); it is above 0, at most 1")
      }
    }
  }
}
