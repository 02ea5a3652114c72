/// How a data set is read: what is refused, and what an image that cannot be used means.
public struct ReadingOptions: Hashable, Sendable {
  /// What images may declare.
  public var images: ImageLimits
  /// What archives may hold.
  public var archives: ArchiveLimits
  /// What an image that cannot be used means.
  public var onBadImage: BadImagePolicy
  /// Whether the held-out split may lack classes of training: top-1 and loss are then those of the images that are there.
  public var allowsMissingClasses: Bool
  /// Where listings of large folders are kept from run to run; nil keeps none.
  public var cache: String?

  /// Creates options.
  public init(
    images: ImageLimits = .init(), archives: ArchiveLimits = .init(), onBadImage: BadImagePolicy = .fail,
    allowsMissingClasses: Bool = false, cache: String? = nil
  ) {
    self.images = images
    self.archives = archives
    self.onBadImage = onBadImage
    self.allowsMissingClasses = allowsMissingClasses
    self.cache = cache
  }
}
