import Commands
import Foundation
import ImageFiles
import Loading
import Reporting
import Support

extension DataPackCommand: EngineWork {
  struct Report: Encodable {
    var dataset: String
    var file: String
    var training: Int
    var heldOut: Int
    var classes: Int
    var bytes: Int
    var skipped: [SkippedImage]
  }

  package func perform() throws {
    try require(threads, "--threads", in: 1...1024)
    try require(maxSide, "--max-side", in: 1...1_000_000)
    try require(quality, "--quality", in: 1...100)
    guard !output.isEmpty else { throw UsageFailure("--output is empty; name the file to write") }
    try ResultFile.require(output, overwrite: overwrite)
    let opened = try DataOptions.open(dataset, reading, general)
    Interruption.listen()
    let shown = WorkProgress(label: "pack", unit: "images", isQuiet: general.quiet)
    defer { shown.clear() }
    let summary = try Packing(encoding: encoding, largestSide: maxSide, quality: quality).write(
      opened, to: output, threads: threads ?? ProcessInfo.processInfo.activeProcessorCount
    ) { done, all in
      try Interruption.check()
      shown.show(done, of: all)
    }
    shown.clear()
    var skipped = SkippedImages()
    for warning in skipped.add(summary.skipped) { general.warn(warning) }
    if let text = skipped.summary { general.warn(text) }
    if json {
      try Output.json(
        Report(
          dataset: opened.name, file: output, training: summary.training, heldOut: summary.heldOut,
          classes: opened.classNames.count, bytes: summary.bytes, skipped: summary.skipped))
    } else {
      try Output.text(
        "\(output): \(summary.training) training and \(summary.heldOut) held-out images of \(opened.classNames.count) "
          + "classes in \(Format.amount(summary.bytes))B")
    }
  }
}
