import Commands
import Foundation
import Support
import Torch

extension ComputeOptions {
  /// The device, after the process has been made ready for it.
  ///
  /// - Parameter jobs: Who else gets a share of the threads.
  func prepare(_ general: GeneralOptions, _ jobs: JobsOptions? = nil) throws -> Device {
    try require(threads, "--threads", in: 1...1024)
    try require(loaderThreads, "--loader-threads", in: 1...1024)
    let launched = try LaunchedProcess.current
    // Each of the processes on a machine has a device and a share of the cores of its own.
    var device = try Device.named(launched != nil && device == "cuda" ? "cuda:\(launched!.localRank)" : device)
    if let launched, self.device == "auto", device != .cpu {
      // Where there are fewer, or each process sees only its own, they share the first.
      device = (try? Device.named("cuda:\(launched.localRank)")) ?? device
    }
    var threads = try jobs?.share(of: threads) ?? threads
    if let launched, threads == nil, ProcessInfo.processInfo.environment["OMP_NUM_THREADS"] == nil {
      threads = max(1, ProcessInfo.processInfo.activeProcessorCount / launched.localWorldSize)
    }
    try Torch.prepare(device, threads: threads)
    general.debug(
      "version \(WidthTransferCommand.version), LibTorch \(Torch.version), device \(device), \(Torch.threads) thread(s)"
    )
    return device
  }
}
