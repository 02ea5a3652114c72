import ImageFiles

/// A part of the training images of a search that is kept to compare widths on.
public struct HeldOutPart: Sendable, Hashable {
  /// The part of each class, 0 to 1.
  public var fraction: Double
  /// The most images in all; every class gets an equal share of them. Where there are more classes, as many have one.
  public var images: Int
  /// Images that are evaluated together, about.
  public var batchSize: Int

  /// Describes a part.
  public init(fraction: Double, images: Int, batchSize: Int) {
    self.fraction = fraction
    self.images = images
    self.batchSize = batchSize
  }

  /// The images of the part, the classes taking turns.
  ///
  /// Images that are evaluated together normalize each other, so each batch must be a fair sample: in the order of a folder it
  /// would hold one class or two.
  ///
  /// - Parameter dataFraction: The part of the source that the search uses; the result is a part of that.
  public func indices(of source: any ImageSource, dataFraction: Double = 1) -> [Int] {
    // A sample of a smaller part begins as that of a larger one.
    let classes = source.classSamples(fraction: min(1, dataFraction) * fraction, seed: 0).filter { !$0.isEmpty }
    if classes.count > images {
      return (0..<images).map { classes[$0 * classes.count / images][0] }
    }
    let limit = max(1, images / max(1, classes.count))
    let longest = min(limit, classes.map(\.count).max() ?? 0)
    return (0..<longest).flatMap { turn in classes.compactMap { turn < $0.count ? $0[turn] : nil } }
  }
}
