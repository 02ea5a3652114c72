/// Width and height of an image in pixels.
public struct ImageSize: Hashable, Sendable, CustomStringConvertible {
  /// The number of columns.
  public var width: Int
  /// The number of rows.
  public var height: Int

  /// Creates a size.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// The smaller of width and height.
  public var shortSide: Int { min(width, height) }

  /// For example `640×480`.
  public var description: String { "\(width)×\(height)" }

  /// This size with its short side brought to `side`; the long side is rounded down, as torchvision's `Resize` does.
  package func scaled(toShortSide side: Int) -> ImageSize {
    width <= height
      ? ImageSize(width: side, height: max(1, side * height / width))
      : ImageSize(width: max(1, side * width / height), height: side)
  }
}
