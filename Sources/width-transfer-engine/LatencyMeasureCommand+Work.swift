import Commands
import Experiments
import Foundation
import Networks
import Records
import Reporting
import Support
import Torch

extension LatencyMeasureCommand: EngineWork {
  package func perform() throws {
    try require(threads, "--threads", in: 1...1024)
    try require(checks, "--checks", in: 0...10_000)
    try ResultFile.require(output, overwrite: overwrite)
    guard runtime == .libtorch || device == "cpu" else {
      throw UsageFailure("--device \(device): onnxruntime measures on the CPU here")
    }
    let built = try network.build(general)
    let device = try Device.named(self.device)
    try Torch.prepare(device, threads: threads)
    Interruption.listen()
    let shown = WorkProgress(label: "latency", unit: "measurements", isQuiet: general.quiet)
    defer { shown.clear() }
    let clock: any LatencyClock =
      switch runtime {
      case .libtorch: TorchClock(device: device)
      case .onnxruntime: try ONNXRuntimeClock(python: python, threads: threads)
      }
    let measurement = LatencyMeasurement(built, divisor: network.divisor, checks: checks, seed: seed)
    let table = try measurement.table(
      by: clock, device: device == .cpu ? Processor.name : device.description
    ) { shown.show($0, of: $1) }
    shown.clear()
    try JSONFile.write(table, to: output)
    if json { return try Output.json(table) }
    let own = table.seconds(of: built)
    try Output.text(
      "\(built.name): \(Format.milliseconds(own)) for one image by \(table.runtime) with \(Format.number(threads, "thread")); "
        + "\(Format.number(table.entries.count, "form")) in \(output)")
    if let check = table.check {
      try Output.text(
        "checked by \(Format.number(check.networks, "network")) at random widths: off by "
          + "\(Format.percent(100 * check.medianError, 1)) (median), \(Format.percent(100 * check.largestError, 1)) at most"
      )
    }
  }
}
