import Networks
import Records

/// What a search found, and how it got there.
public struct SearchResult: Codable, Sendable, Equatable {
  /// The budget that the widths are for.
  public var target: Int
  /// Channels by width group: what the search decided on before any rounding to a divisor.
  ///
  /// Not rounded to whole channels, because the multipliers that are carried to a larger network come from here: in a
  /// small source a rounding would cost more than the search can tell apart.
  public var channels: [WidthGroup.ID: Double]
  /// The (expected) multiply-accumulates of these channels.
  public var macs: Double
  /// The search's way.
  public var history: [WidthsFile.HistoryPoint]
  /// What the search spent.
  public var cost: SearchCost
  /// What a person should know, for example that the budget was not met.
  public var warnings: [String]

  /// What else speaks for the result, in the method's own terms.
  public var evidence: WidthsFile.Evidence?

  /// Creates a result.
  public init(
    target: Int, channels: [WidthGroup.ID: Double], macs: Double, history: [WidthsFile.HistoryPoint],
    cost: SearchCost, warnings: [String], evidence: WidthsFile.Evidence? = nil
  ) {
    self.target = target
    self.channels = channels
    self.macs = macs
    self.history = history
    self.cost = cost
    self.warnings = warnings
    self.evidence = evidence
  }

  /// Channels relative to the network that was searched.
  public func multipliers(of network: ResolvedNetwork) -> PerGroup<Double> {
    PerGroup(network) { (channels[$0.id] ?? Double($0.width)) / Double($0.width) }
  }
}
