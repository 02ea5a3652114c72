/// The numbers that bound how widths change during a training. [reconstructed]
public struct AdaptationRules: Codable, Hashable, Sendable {
  /// A change is this part of the width, …
  public var part = 0.125
  /// … in multiples of this, and once at least.
  public var multiple = 8
  /// No group becomes narrower than this.
  public var leastWidth = 8
  /// How far the network's MACs may be from those that it began with.
  public var largestDrift = 0.05
  /// A group rests for this many epochs after a change.
  public var rest = 10
  /// No change in this part of the training at its end.
  public var lastPart = 0.30

  /// The rules that are used unless others are given.
  public init() {}
}
