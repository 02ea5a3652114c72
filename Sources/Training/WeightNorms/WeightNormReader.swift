import Diagnosis
import Networks
import Torch

/// Reads the norms of channels off named tensors: a model's, a file's, or those of a network that is no `Network`.
public struct WeightNormReader: Sendable {
  /// The groups, and after them single layers of groups with several.
  public let groups: [ChannelGroup]
  private let slices: [(slice: ChannelSlice, width: Int)]
  private let places: [[Int]]

  /// Prepares the groups and layers of a network.
  public init(_ network: ResolvedNetwork) { self.init(network.channelGroups + network.channelLayers) }

  /// Prepares groups.
  public init(_ groups: [ChannelGroup]) {
    self.groups = groups
    var slices: [(ChannelSlice, Int)] = []
    var known: [ChannelSlice: Int] = [:]
    places = groups.map { group in
      group.slices.map { slice in
        if let place = known[slice] { return place }
        known[slice] = slices.count
        slices.append((slice, group.width))
        return slices.count - 1
      }
    }
    self.slices = slices
  }

  /// The norms of all groups, in their order, with one copy to the host.
  ///
  /// - Parameter tensor: Gives the tensor of a name.
  /// - Throws: What `tensor` throws; `UsageFailure` when a tensor is too small; `TorchError`.
  public func read(_ tensor: (String) throws -> Tensor) throws -> [ChannelNorms] {
    guard !slices.isEmpty else { return [] }
    let all = try withoutGradients {
      var squares: [Tensor] = []
      // Slices of one tensor stand beside each other in neither order; reading a weight twice is cheap.
      for (slice, width) in slices {
        let rows = try slice.rows(of: try tensor(slice.tensor), width: width).to(.float64)
        squares.append(try (rows * rows).sum([1]))
      }
      return try Tensor.concatenate(squares).sqrt().array(Double.self)
    }
    var starts = [0]
    for (_, width) in slices { starts.append(starts[starts.count - 1] + width) }
    return zip(groups, places).map { group, places in
      ChannelNorms(slices: group.slices, norms: places.map { Array(all[starts[$0]..<starts[$0 + 1]]) })
    }
  }

  /// The samples of one moment, by all modes.
  public func samples(_ norms: [ChannelNorms], epoch: Int, learningRate: Double? = nil) -> [NormSample] {
    zip(groups, norms).flatMap { group, norms in
      (group.kind == .group ? NormMode.ofGroups : [.perLayer]).map { mode in
        NormSample(
          epoch: epoch, group: group.id, mode: mode, statistics: norms.values(mode).flatMap(NormStatistics.init),
          learningRate: learningRate)
      }
    }
  }
}
