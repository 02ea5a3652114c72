#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How values are spread, as a smooth curve: a Gaussian kernel with Silverman's bandwidth.
public struct KernelDensity: Codable, Hashable, Sendable {
  /// Where the density is given, in equal steps.
  public var grid: [Double]
  /// The density there; its area is 1.
  public var density: [Double]

  /// Estimates a density; nil for fewer than two values, or values that are all equal or not finite.
  public init?(_ values: [Double], points: Int = 96) {
    let sorted = values.sorted()
    guard sorted.count > 1, points > 1, sorted.allSatisfy(\.isFinite) else { return nil }
    let count = Double(sorted.count)
    let mean = sorted.reduce(0, +) / count
    let deviation = (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
    func quantile(_ part: Double) -> Double {
      let place = part * (count - 1)
      let low = Int(place)
      let high = min(low + 1, sorted.count - 1)
      return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }
    let middle = (quantile(0.75) - quantile(0.25)) / 1.34
    let spread = middle > 0 ? min(deviation, middle) : deviation
    guard spread > 0 else { return nil }
    let width = 0.9 * spread * pow(count, -0.2)
    let (low, high) = (sorted[0] - 4 * width, sorted[sorted.count - 1] + 4 * width)
    grid = (0..<points).map { low + (high - low) * Double($0) / Double(points - 1) }
    let scale = 1 / (count * width * (2 * Double.pi).squareRoot())
    density = grid.map { x in
      scale * sorted.reduce(0) { $0 + exp(-0.5 * ((x - $1) / width) * ((x - $1) / width)) }
    }
    // A grid that is coarse beside a narrow kernel misses some of the area.
    let step = grid[1] - grid[0]
    let area = zip(density, density.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 2 } * step
    guard area > 0 else { return nil }
    density = density.map { $0 / area }
  }
}
