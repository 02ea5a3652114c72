/// A rectangle of whole pixels.
public struct PixelRectangle: Hashable, Sendable {
  /// Columns to its left.
  public var left: Int
  /// Rows above it.
  public var top: Int
  /// Its columns.
  public var width: Int
  /// Its rows.
  public var height: Int

  /// Creates a rectangle.
  public init(left: Int, top: Int, width: Int, height: Int) {
    self.left = left
    self.top = top
    self.width = width
    self.height = height
  }

  /// Whether the rectangle holds a pixel and lies within an image of `size`.
  package func lies(within size: ImageSize) -> Bool {
    left >= 0 && top >= 0 && width > 0 && height > 0 && left <= size.width - width && top <= size.height - height
  }
}
