import ArgumentParser
import Support

/// How the processes that a launcher has started work together: `torchrun --no-python width-transfer train …`.
package struct LauncherOptions: ParsableArguments {
  package init() {}

  @Flag(
    help: "Under a launcher: batch normalization takes the statistics of all processes' samples, not of each one's own."
  )
  package var syncBatchNorm = false

  @Option(parsing: .unconditional, help: "Under a launcher: seconds to wait for the other processes.")
  package var collectiveTimeout: Double = 300

  @Flag(help: ArgumentHelp("Send gradients after the backward pass, not during it.", visibility: .hidden))
  package var noOverlap = false

  package func validate() throws {
    guard (1...86_400).contains(collectiveTimeout) else {
      throw ValidationError("--collective-timeout \(collectiveTimeout): it must be from 1 to 86400 seconds")
    }
  }
}
