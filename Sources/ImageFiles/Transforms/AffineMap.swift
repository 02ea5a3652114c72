import Foundation

/// The place in an image from which each place of a transformed image takes its colour:
/// `x' = xx·x + xy·y + x0`, `y' = yx·x + yy·y + y0`, in pixels from the upper left corner.
///
/// Pillow and torchvision get their maps by way of degrees and of 15 decimal digits. What that changes is far below the
/// 65536ths of a pixel in which places are counted in the end.
struct AffineMap: Hashable {
  var xx = 1.0
  var xy = 0.0
  var x0 = 0.0
  var yx = 0.0
  var yy = 1.0
  var y0 = 0.0

  /// Shears along x by `slope` pixels a row, with the upper left corner in place.
  static func shear(x slope: Double) -> AffineMap { AffineMap(xy: slope) }

  /// Shears along y by `slope` pixels a column, with the upper left corner in place.
  static func shear(y slope: Double) -> AffineMap { AffineMap(yx: slope) }

  /// Moves the image by whole pixels to the right and downwards.
  static func translation(x: Int, y: Int) -> AffineMap { AffineMap(x0: -Double(x), y0: -Double(y)) }

  /// Turns the image about its centre, counterclockwise.
  static func rotation(degrees: Double, size: ImageSize) -> AffineMap {
    let angle = degrees * (.pi / 180)
    let (cosine, sine) = (cos(angle), sin(angle))
    let centre = (x: Double(size.width) / 2, y: Double(size.height) / 2)
    return AffineMap(
      xx: cosine, xy: -sine, x0: centre.x - cosine * centre.x + sine * centre.y,
      yx: sine, yy: cosine, y0: centre.y - sine * centre.x - cosine * centre.y)
  }
}
