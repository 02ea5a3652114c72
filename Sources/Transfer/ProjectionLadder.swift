import Networks
import Support

/// Projections of one target, each cheaper to search on than the one before it: what `--project auto` chooses among.
///
/// Width and depth come first: what searches on narrower and shallower networks find agrees most with what direct ones find, on smaller
/// images least (`docs/results/2026-11-29-claim`), as in the width-transfer paper, where width transfers farthest. Then data and resolution
/// take turns with what is left of them, in the steps of the paper's compound rows (its section 4.4). Each goes as far as enough is left to
/// search: data for a number of steps, maps of a few pixels, a few channels.
public struct ProjectionLadder {
  /// The rungs, the target itself first.
  public let rungs: [Projection]

  /// The fewest search steps that less data may leave: as many as DMCP's own rate of α is for.
  public static let leastSteps = 500
  /// The fewest pixels a side that the last feature maps may have left, and the fewest channels a group, unless the target has fewer.
  public static let leastSide = 4, leastChannels = 4

  private static var moves: [WritableKeyPath<Steps, Int>] {
    [
      \.width, \.depth, \.width, \.data, \.width, \.resolution, \.depth, \.data, \.resolution, \.data, \.data,
    ]
  }

  // How many steps down each way.
  private struct Steps {
    var data = 0, resolution = 0, width = 0, depth = 0
    static let dataParts = [1, 0.5, 0.2, 0.1, 0.05]
    static let sides = [1, 0.7, 0.5]
    static let widths = [1, 0.707, 0.5, 0.354]
    static let depths = [1, 0.5, 0.25]

    /// The projection; nil past the last step of a way.
    func projection(of side: Int) -> Projection? {
      guard data < Self.dataParts.count, resolution < Self.sides.count, width < Self.widths.count,
        depth < Self.depths.count
      else { return nil }
      return Projection(
        width: Self.widths[width], depth: Self.depths[depth],
        resolution: resolution == 0 ? nil : Int((Self.sides[resolution] * Double(side)).rounded()),
        data: Self.dataParts[data])
    }
  }

  /// Makes the rungs for a target.
  ///
  /// - Parameters:
  ///   - target: The network at its full size and resolution.
  ///   - divisor: What projected widths are rounded to.
  ///   - steps: Steps of a search on all of the data.
  ///   - isPossible: What else a projection has to meet, such as that its blocks can be stacked.
  public init(
    for target: ResolvedNetwork, divisor: Int, steps: Int, isPossible: (Projection) -> Bool = { _ in true }
  ) {
    var rungs = [Projection.identity]
    var cost = Double(target.cost.macs)
    var taken = Steps()
    for move in Self.moves {
      var next = taken
      next[keyPath: move] += 1
      guard let projection = next.projection(of: target.input.height),
        projection.data == 1 || Double(steps) * projection.data >= Double(Self.leastSteps),
        let source = try? projection.applied(to: target, divisor: divisor), Self.isEnough(source, for: target),
        isPossible(projection)
      else { continue }
      // What rounding or a network of one block a stage leaves as it was is no step.
      let nextCost = Double(source.cost.macs) * projection.data
      guard nextCost < 0.95 * cost else { continue }
      (taken, cost) = (next, nextCost)
      rungs.append(projection)
    }
    self.rungs = rungs
  }

  private static func isEnough(_ source: ResolvedNetwork, for target: ResolvedNetwork) -> Bool {
    // Filters of more than a pixel look at maps; those of one may look at what is left of them after a mean.
    func side(_ network: ResolvedNetwork) -> Int {
      network.layers.compactMap { layer -> Int? in
        guard case .convolution(let convolution) = layer.layer.operation, convolution.kernelSize != 1 else {
          return nil
        }
        return min(layer.output.height, layer.output.width)
      }.min() ?? 1
    }
    func channels(_ network: ResolvedNetwork) -> Int { network.widthGroups.map(\.width).min() ?? 1 }
    return side(source) >= min(leastSide, side(target)) && channels(source) >= min(leastChannels, channels(target))
  }
}
