import ArgumentParser
import Methods

/// What is followed of trainings.
package struct TrackOptions: ParsableArguments {
  package init() {}

  @Option(
    help: """
      Follow weight-norms of all channels over the epochs, for `diagnose`, sign-changes of the weights in the first ten, or \
      gradient-cosines, how alike the channels' gradients are on one fixed batch; the outcome stays the same. Can be given several times.
      """)
  package var track: [Tracking] = []
}

extension Tracking: ExpressibleByArgument {}
