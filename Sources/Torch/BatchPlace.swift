/// Which samples of a batch a tensor holds.
public struct BatchPlace: Sendable, Hashable {
  /// The first.
  public var first: Int
  /// The samples of the whole batch.
  public var whole: Int

  /// Describes a place.
  public init(first: Int, whole: Int) {
    self.first = first
    self.whole = whole
  }
}
