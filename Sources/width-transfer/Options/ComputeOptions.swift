import ArgumentParser
import Support
import Torch

/// Where and how to compute.
struct ComputeOptions: ParsableArguments {
  @Option(help: "cpu, cuda, cuda:N or auto.")
  var device: String = "cpu"

  @Option(
    parsing: .unconditional,
    help: "Threads inside one operation (default: all cores). Equal results to the bit need equal numbers.")
  var threads: Int?

  @Option(parsing: .unconditional, help: "Threads that prepare images.")
  var loaderThreads: Int = 1

  @Option(parsing: .unconditional, help: "The seed of everything random.")
  var seed: Int = 0

  /// The device, after the threads have been set.
  func prepare(_ general: GeneralOptions) throws -> Device {
    if let threads {
      try require(threads, "--threads", in: 1...1024)
      try Torch.setThreads(threads)
    }
    try require(loaderThreads, "--loader-threads", in: 1...1024)
    try Torch.setFlushDenormal(true)
    Torch.keepFreedMemory()
    let device = try Device.named(device)
    if device.kind == .cuda { try Torch.setDeterministic(true) }
    general.debug(
      "version \(WidthTransferCommand.version), LibTorch \(Torch.version), device \(device), \(Torch.threads) thread(s)"
    )
    return device
  }
}

/// Makes sure that a flag's number lies in a range.
///
/// - Throws: `UsageFailure` that names the flag.
func require(_ value: Int?, _ flag: String, in range: ClosedRange<Int>) throws {
  if let value, !range.contains(value) {
    throw UsageFailure("\(flag) \(value): it must be from \(range.lowerBound) to \(range.upperBound)")
  }
}
