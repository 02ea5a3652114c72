import ArgumentParser
import Methods

/// What is followed of trainings.
package struct TrackOptions: ParsableArguments {
  package init() {}

  @Option(help: "Follow weight-norms of all channels over the epochs, for `diagnose`; the outcome stays the same.")
  package var track: [Tracking] = []
}

extension Tracking: ExpressibleByArgument {}
