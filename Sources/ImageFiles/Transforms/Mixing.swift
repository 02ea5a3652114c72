import Support

/// How the images of a training batch are mixed with each other, each with its neighbour in the batch.
///
/// Where both are wanted, each batch takes one of them by a fair draw, as torchvision's reference training does.
public struct Mixing: Hashable, Sendable {
  /// The parameter of mixup's beta distribution (Zhang et al., "mixup", 2018); 0 for none, 0.2 is usual.
  public var mixup: Double
  /// The parameter of CutMix's beta distribution (Yun et al., "CutMix", 2019); 0 for none, 1 is usual.
  public var cutmix: Double

  /// Describes a mixing.
  public init(mixup: Double = 0, cutmix: Double = 0) {
    self.mixup = mixup
    self.cutmix = cutmix
  }

  /// Throws unless the values make sense.
  ///
  /// - Throws: ``Support/UsageFailure``.
  public func validate() throws {
    for (name, alpha) in [("mixup", mixup), ("cutmix", cutmix)] where !(alpha >= 0 && alpha <= 100) {
      throw UsageFailure("\(name) is \(alpha); it is from 0 (none) to 100")
    }
  }
}
