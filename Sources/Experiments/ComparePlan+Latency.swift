import Networks
import Records

extension ComparePlan {
  /// Adds how long one image takes in each network, and writes `comparison.json` with it.
  ///
  /// Networks of the same widths are timed once.
  ///
  /// - Throws: `Interrupted` when it is stopped; ``Support/FileFailure`` when the file cannot be written.
  public func timed(
    _ summary: ComparisonSummary, by reading: LatencyReading, in folder: RunFolder
  ) throws -> ComparisonSummary {
    var summary = summary
    var places: [Widths: Int] = [:]
    var networks: [ResolvedNetwork] = []
    for widths in summary.arms.flatMap({ $0.members.map(\.widths) }) where places[widths] == nil {
      places[widths] = networks.count
      networks.append(try subject.target.with(widths))
    }
    let times = try reading.times(of: networks)
    for arm in summary.arms.indices {
      for member in summary.arms[arm].members.indices {
        summary.arms[arm].members[member].latency = places[summary.arms[arm].members[member].widths].map { times[$0] }
      }
    }
    summary.latencyRuntime = reading.source
    try JSONFile.write(summary, to: folder.comparison)
    return summary
  }
}
