/// How a data set is read: what is refused, and what an image that cannot be used means.
public struct ReadingOptions: Hashable, Sendable {
  /// What images may declare.
  public var images: ImageLimits
  /// What archives may hold.
  public var archives: ArchiveLimits
  /// What an image that cannot be used means.
  public var onBadImage: BadImagePolicy
  /// Where listings of large folders are kept from run to run; nil keeps none.
  public var cache: String?

  /// Creates options.
  public init(
    images: ImageLimits = .init(), archives: ArchiveLimits = .init(), onBadImage: BadImagePolicy = .fail,
    cache: String? = nil
  ) {
    self.images = images
    self.archives = archives
    self.onBadImage = onBadImage
    self.cache = cache
  }
}
