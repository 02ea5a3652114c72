import ArgumentParser
import Methods

/// What is followed of trainings.
package struct TrackOptions: ParsableArguments {
  package init() {}

  @Option(
    help: """
      Follow weight-norms of all channels over the epochs, for `diagnose`, or sign-changes of the weights in the first ten; the outcome \
      stays the same. Can be given twice.
      """)
  package var track: [Tracking] = []
}

extension Tracking: ExpressibleByArgument {}
