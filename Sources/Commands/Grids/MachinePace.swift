/// How fast a machine trains: seconds for each activation and each multiply-accumulate of an image, forward and back.
///
/// Narrow networks are bound by the memory that their activations pass through, wide ones by arithmetic; a line through a few timed
/// networks tells both apart. It is meant for estimates within a factor of two, of hours and not of seconds.
package struct MachinePace: Sendable, Hashable {
  /// Seconds for each number that a layer puts out.
  package var perActivation: Double
  /// Seconds for each multiply-accumulate of a forward pass.
  package var perMAC: Double

  /// A network that was timed, or is to be.
  package struct Load: Sendable, Hashable {
    /// Multiply-accumulates of one image, forward.
    package var macs: Double
    /// Numbers that all layers put out for it.
    package var activations: Double
    /// Images, as if each went forward and back.
    package var images: Double

    /// Describes a load.
    package init(macs: Double, activations: Double, images: Double = 1) {
      self.macs = macs
      self.activations = activations
      self.images = images
    }
  }

  /// Describes a pace.
  package init(perActivation: Double, perMAC: Double) {
    self.perActivation = perActivation
    self.perMAC = perMAC
  }

  /// The pace that comes nearest to what was timed, relative to it; neither part is negative.
  ///
  /// - Parameter timed: Loads with the seconds that they took.
  package init(fitting timed: [(load: Load, seconds: Double)]) {
    // Least squares of (a x + b y) / t against 1.
    let rows = timed.filter { $0.seconds > 0 }.map {
      (x: $0.load.images * $0.load.activations / $0.seconds, y: $0.load.images * $0.load.macs / $0.seconds)
    }
    func sum(_ value: ((x: Double, y: Double)) -> Double) -> Double { rows.reduce(0) { $0 + value($1) } }
    let (xx, yy, xy) = (sum { $0.x * $0.x }, sum { $0.y * $0.y }, sum { $0.x * $0.y })
    let (x, y) = (sum(\.x), sum(\.y))
    let determinant = xx * yy - xy * xy
    var pace = (a: 0.0, b: 0.0)
    if determinant > 1e-12 * xx * yy { pace = ((x * yy - y * xy) / determinant, (y * xx - x * xy) / determinant) }
    if determinant <= 1e-12 * xx * yy || pace.a < 0 { pace = (0, yy > 0 ? y / yy : 0) }
    if pace.b < 0 { pace = (xx > 0 ? x / xx : 0, 0) }
    self.init(perActivation: pace.a, perMAC: pace.b)
  }

  /// Seconds for a load.
  package func seconds(_ load: Load) -> Double {
    load.images * (perActivation * load.activations + perMAC * load.macs)
  }
}
