/// An experiment as `experiment list --json` prints it.
package struct ExperimentListing: Encodable {
  /// How large it is at a scale.
  package struct Size: Encodable {
    package var searches: Int
    package var trainings: Int
    /// About how long it would take on this machine, one job after the other; nil where that was not timed.
    package var seconds: Double?
  }

  package var name: String
  package var claim: String
  /// The data that it takes; nil where it has its own.
  package var data: String?
  /// By the name of the scale; nil of what is no grid of searches and trainings.
  package var scales: [String: Size]?

  /// All experiments.
  ///
  /// - Parameter pace: How fast this machine trains, where that was timed.
  package static func all(_ pace: MachinePace?) throws -> [ExperimentListing] {
    let grids = try ExperimentGrid.all.map { grid in
      let sizes = try GridScale.allCases.compactMap { scale in
        try grid.counts(scale).map { counts in
          let seconds = try pace.map { pace in try grid.loads(scale).reduce(0) { $0 + pace.seconds($1) } }
          return (scale.rawValue, Size(searches: counts.searches, trainings: counts.trainings, seconds: seconds))
        }
      }
      return ExperimentListing(
        name: grid.name, claim: grid.claim, scales: Dictionary(uniqueKeysWithValues: sizes))
    }
    return grids + ExperimentName.allCases.map { ExperimentListing(name: $0.rawValue, claim: $0.claim, data: $0.data) }
  }
}
