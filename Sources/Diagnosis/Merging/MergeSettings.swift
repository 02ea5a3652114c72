import Support

/// How iterative feature merging goes about it: Chen, Zhou, Yan, ICLR 2024.
public struct MergeSettings: Codable, Hashable, Sendable {
  /// What becomes of two channels that are merged.
  public enum Mode: String, Codable, Hashable, Sendable, CaseIterable {
    /// What computes them is summed, what reads them averaged, and every number of a normalization summed, as in the released code.
    ///
    /// With a normalization it is inexact even for equal channels: its output becomes 2√2 γ(x−μ)/σ + 2β where 2γ(x−μ)/σ + 2β were right.
    case paper
    /// The same, after normalizations are folded into convolutions: exact for equal channels. [reconstructed]
    case foldedPaper = "folded-paper"
    /// What computes them is averaged, normalizations too, and what reads them summed: exact for equal channels. [reconstructed]
    case meanSum = "mean-sum"
  }

  /// Which groups are merged.
  public enum Scope: String, Codable, Hashable, Sendable, CaseIterable {
    /// What the released code merges: of ResNets the last stages alone, of other networks everything.
    case published
    /// Every group that can be. [reconstructed]
    case all
  }

  /// What becomes of two channels.
  public var mode = Mode.meanSum
  /// Which groups.
  public var scope = Scope.published
  /// β: the closest pair is merged when its squared distance is at most this part of the largest in the group.
  public var threshold = 0.1
  /// A group is merged at most as many times as this part of its channels.
  public var largestRatio = 1.0

  /// The usual settings.
  public init() {}

  /// Refuses numbers that make no sense.
  ///
  /// - Throws: ``Support/UsageFailure``.
  public func validate() throws {
    guard (0...1).contains(threshold) else {
      throw UsageFailure("`threshold` \(threshold): it must be from 0 to 1")
    }
    guard (0...1).contains(largestRatio) else {
      throw UsageFailure("`largest-ratio` \(largestRatio): it must be from 0 to 1")
    }
  }
}
