import Commands
import Torch

extension ComputeOptions {
  /// The device, after the process has been made ready for it.
  ///
  /// - Parameter jobs: Who else gets a share of the threads.
  func prepare(_ general: GeneralOptions, _ jobs: JobsOptions? = nil) throws -> Device {
    try require(threads, "--threads", in: 1...1024)
    try require(loaderThreads, "--loader-threads", in: 1...1024)
    let device = try Device.named(device)
    try Torch.prepare(device, threads: jobs?.share(of: threads) ?? threads)
    general.debug(
      "version \(WidthTransferCommand.version), LibTorch \(Torch.version), device \(device), \(Torch.threads) thread(s)"
    )
    return device
  }
}
