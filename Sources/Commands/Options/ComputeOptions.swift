import ArgumentParser
import Support

/// Where and how to compute.
package struct ComputeOptions: ParsableArguments {
  package init() {}

  @Option(help: "cpu, cuda, cuda:N or auto.")
  package var device: String = "cpu"

  @Option(
    parsing: .unconditional,
    help: "Threads inside one operation (default: all cores). Equal results to the bit need equal numbers.")
  package var threads: Int?

  @Option(parsing: .unconditional, help: "Threads that prepare images.")
  package var loaderThreads: Int = 1

  @Option(parsing: .unconditional, help: "The seed of everything random.")
  package var seed: Int = 0
}

/// Makes sure that a flag's number lies in a range.
///
/// - Throws: `UsageFailure` that names the flag.
package func require(_ value: Int?, _ flag: String, in range: ClosedRange<Int>) throws {
  if let value, !range.contains(value) {
    throw UsageFailure("\(flag) \(value): it must be from \(range.lowerBound) to \(range.upperBound)")
  }
}
