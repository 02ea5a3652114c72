import Commands
import Torch

extension ComputeOptions {
  /// The device, after the process has been made ready for it.
  func prepare(_ general: GeneralOptions) throws -> Device {
    try require(threads, "--threads", in: 1...1024)
    try require(loaderThreads, "--loader-threads", in: 1...1024)
    let device = try Device.named(device)
    try Torch.prepare(device, threads: threads)
    general.debug(
      "version \(WidthTransferCommand.version), LibTorch \(Torch.version), device \(device), \(Torch.threads) thread(s)"
    )
    return device
  }
}
