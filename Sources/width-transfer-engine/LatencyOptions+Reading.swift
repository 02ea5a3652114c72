import Commands
import Experiments
import Networks
import Support
import Torch

extension LatencyOptions {
  /// How a run tells its networks' times: measured where the table comes from this machine's processor and a runtime that is here.
  func reading(for target: ResolvedNetwork, _ device: Device, _ general: GeneralOptions) throws -> LatencyReading? {
    guard let table = try table(for: target) else { return nil }
    guard table.device == (device == .cpu ? Processor.name : device.description), table.device != Processor.unknown
    else {
      general.note(
        "the networks' latency is predicted and not measured: the table is one of \(table.device), and this is another device"
      )
      return LatencyReading(table)
    }
    let isONNXRuntime = table.runtime.hasPrefix("onnxruntime")
    guard isONNXRuntime || table.runtime.hasPrefix("libtorch") else {
      general.note(
        "the networks' latency is predicted and not measured: the table is one of \(table.runtime), which is not at hand"
      )
      return LatencyReading(table)
    }
    return LatencyReading(
      table,
      clock: {
        if isONNXRuntime {
          return try ONNXRuntimeClock(python: "python3", threads: table.threads)
        }
        return TorchClock(device: device, threads: table.threads)
      }, failed: { general.note($0) })
  }
}
