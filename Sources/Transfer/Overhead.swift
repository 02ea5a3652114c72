import Networks

/// How much cheaper a width search is on a projected configuration than on the target itself.
///
/// A search makes as many epochs, and as many passes at the same relative widths in a step, whatever it runs on: the cost
/// of either cancels but for the cost of an image times the number of images. (The number of steps falls with the data,
/// because epochs and batch size stay.)
public struct Overhead: Codable, Hashable, Sendable {
  /// Direct over projected search cost by the formula of the paper, `(w ratio)² · d ratio · (r ratio)² · data ratio`.
  public var nominal: Double
  /// Direct over projected search cost by counting: stem, classifier and depthwise layers grow linearly with width only,
  /// channels are rounded, and some stages keep their depth.
  public var counted: Double

  /// The part of the direct search's cost that is saved, `1 − 1 / counted`.
  public var saving: Double { Overhead.saving(counted) }

  /// Creates an overhead from the two ratios.
  public init(nominal: Double, counted: Double) {
    self.nominal = nominal
    self.counted = counted
  }

  /// Predicts the overhead of searching on a projection of `target`.
  ///
  /// - Parameters:
  ///   - projection: How network and data are made smaller.
  ///   - target: The network at its full size and resolution.
  ///   - divisor: What the projected widths are rounded to.
  /// - Throws: As `Projection.applied(to:divisor:)`.
  public init(of projection: Projection, target: ResolvedNetwork, divisor: Int = 8) throws {
    // A search shrinks what keeps its widths too: they are its target's.
    let source = try projection.applied(to: target.unfixed, divisor: divisor)
    nominal = projection.nominalReduction(of: target)
    counted = Overhead.counted(source: source, sourceData: projection.data, target: target)
  }

  /// Direct over projected search cost, counted.
  ///
  /// - Parameters:
  ///   - source: The projected network at its resolution.
  ///   - sourceData: Images or fraction of images that the search uses.
  ///   - target: The target network at its resolution.
  ///   - targetData: Images or fraction of images of the target.
  public static func counted(
    source: ResolvedNetwork, sourceData: Double, target: ResolvedNetwork, targetData: Double = 1
  ) -> Double {
    Double(target.cost.macs) * targetData / (Double(source.cost.macs) * sourceData)
  }

  /// The part of a cost that a reduction by `ratio` saves.
  public static func saving(_ ratio: Double) -> Double { 1 - 1 / ratio }
}

extension Projection {
  /// Direct over projected search cost by the formula of the paper, for a projection of `target`.
  public func nominalReduction(of target: ResolvedNetwork) -> Double {
    nominalReduction(resolution: target.input.height)
  }

  /// Direct over projected search cost by the formula of the paper.
  ///
  /// - Parameters:
  ///   - target: The configuration that the search is for, as factors of the same network as `self`.
  ///   - resolution: The side in pixels of images whose projection does not name one.
  public func nominalReduction(relativeTo target: Projection = .identity, resolution: Int) -> Double {
    let width = target.width / width
    let depth = target.depth / depth
    let side = Double(target.resolution ?? resolution) / Double(self.resolution ?? resolution)
    return width * width * depth * side * side * (target.data / data)
  }
}
