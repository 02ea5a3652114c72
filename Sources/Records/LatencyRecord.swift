/// How long one image takes a network.
public struct LatencyRecord: Codable, Sendable, Equatable {
  /// Seconds by the latency table.
  public var predicted: Double
  /// Seconds on this machine; nil where it was not measured.
  public var measured: Double?

  /// Creates the record.
  public init(predicted: Double, measured: Double? = nil) {
    self.predicted = predicted
    self.measured = measured
  }
}
