import Datasets
import Foundation
import Networks
import Runs
import Support
import Torch
import Training

/// Differentiable Markov channel pruning: Guo et al., CVPR 2020 (arXiv 2005.03354).
///
/// Widths are chains of keep-probabilities, trained by gradient on a network whose channels are weighted by their
/// probability of being kept. Departures from the official code, with reasons, in ``DMCPSettings``; the defects listed in
/// algorithms.md 9 are not reproduced. Sub-networks run on slices of the weights, so a step costs what its passes cost;
/// only the architecture pass runs the full width, as the method asks.
public struct DMCP: WidthOptimizer {
  /// The hyperparameters.
  public var settings: DMCPSettings

  /// Creates the optimizer.
  public init(_ settings: DMCPSettings = .init()) { self.settings = settings }

  /// `dmcp`.
  public var name: String { "dmcp" }

  /// The settings as text.
  public var identity: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return (try? encoder.encode(settings)).map { "dmcp " + String(decoding: $0, as: UTF8.self) } ?? "dmcp"
  }

  /// Refuses float16, which would need its loss scaled, and networks with a group that no batch normalization follows.
  public func validate(_ network: Network, recipe: Recipe) throws {
    guard recipe.precision != .float16 else {
      throw UsageFailure("dmcp trains in float32 or bfloat16; float16 would need its loss scaled")
    }
    try MarkovNetwork.requireSupport(in: network.resolved())
  }

  /// The supernet, whose front slices are searched: the network widened to the range's maximum.
  public func widestNetwork(for network: Network, divisor: Int) throws -> Network {
    try network.scalingWidth(by: settings.range.maximum, divisor: divisor)
  }

  /// Searches widths; goes on from a checkpoint when there is one.
  public func search(_ context: SearchContext) throws -> SearchResult {
    let search = try DMCPSearch(settings, context, try widestNetwork(for: context.network, divisor: context.divisor))
    return try search.run()
  }
}
