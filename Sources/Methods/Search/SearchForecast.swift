/// What a search is expected to spend, in multiply-accumulates.
public struct SearchForecast: Sendable, Hashable {
  /// For each training image of each epoch, forward and backward passes together.
  public var perImage: Double
  /// For each image that widths are compared on.
  public var perComparedImage: Double

  /// Describes a forecast.
  public init(perImage: Double, perComparedImage: Double = 0) {
    self.perImage = perImage
    self.perComparedImage = perComparedImage
  }

  /// For a search.
  public func macs(images: Int, comparedImages: Int = 0) -> Double {
    perImage * Double(images) + perComparedImage * Double(comparedImages)
  }
}
