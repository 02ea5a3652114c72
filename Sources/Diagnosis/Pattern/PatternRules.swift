/// The numbers by which curves are told apart. [reconstructed]
public struct PatternRules: Codable, Hashable, Sendable {
  /// Fewer samples than this say nothing.
  public var leastSamples = 12
  /// The reach of the running median to either side.
  public var medianReach = 2
  /// The window of the running mean as a part of all samples; at least 3 samples.
  public var meanPart = 0.05
  /// The part at the end whose mean is the final level; at least 3 samples.
  public var tailPart = 0.10
  /// A rise below this part of the largest value is none.
  public var leastProminence = 0.10
  /// A relative drop from the peak of at most this is IS.
  public var largestDropOfIS = 0.15
  /// A relative drop from the peak of at least this may be DS.
  public var leastDropOfDS = 0.30
  /// A fall from the first to the final level of at least this part, without a rise, is a decay.
  public var leastDecay = 0.50
  /// Stage 1 ends at the last sample below this part of the rise.
  public var onset = 0.05
  /// Stage 2 ends at the first sample above this part of the rise.
  public var saturation = 0.90
  /// A drawdown of at least this part of the rise, …
  public var reboundDrawdown = 0.50
  /// … of which at least this part came back, is a rebound.
  public var reboundReturn = 0.25
  /// The part at the end that decides whether a drop lasted.
  public var latePart = 0.20
  /// The share of it that must lie low.
  public var lateShare = 0.60

  /// The rules that are used unless others are given.
  public init() {}
}
