import Networks
import Records

extension ComparePlan {
  /// Adds how long one image takes in each network, and writes `comparison.json` with it.
  ///
  /// Networks of the same widths are timed once.
  ///
  /// - Parameter former: What the folder held before: where nothing is to be measured, what was measured by the same table is kept.
  /// - Throws: `Interrupted` when it is stopped; ``Support/FileFailure`` when the file cannot be written.
  public func timed(
    _ summary: ComparisonSummary, by reading: LatencyReading, keeping former: ComparisonSummary? = nil,
    in folder: RunFolder
  ) throws -> ComparisonSummary {
    var summary = summary
    var places: [Widths: Int] = [:]
    var networks: [ResolvedNetwork] = []
    for widths in summary.arms.flatMap({ $0.members.map(\.widths) }) where places[widths] == nil {
      places[widths] = networks.count
      networks.append(try subject.target.with(widths))
    }
    var times = try reading.times(of: networks)
    if reading.clock == nil, let former, former.latencyRuntime == reading.source {
      for member in former.arms.flatMap(\.members) {
        if let place = places[member.widths], let measured = member.latency?.measured {
          times[place].measured = measured
        }
      }
    }
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
