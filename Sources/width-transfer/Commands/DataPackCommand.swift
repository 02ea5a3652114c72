import ArgumentParser
import Datasets
import Foundation
import Reporting
import Support

extension Packing.Encoding: ExpressibleByArgument {}

struct DataPackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Writes a data set as one file that is mapped into memory: fast to open, and checked by checksums.",
    discussion: """
      Example: width-transfer data pack photos/ --output photos.wtpack --max-side 512

      --dataset photos.wtpack then names it anywhere. Without --max-side and with --encoding source, training on it gives the \
      same weights as on what it was packed from.
      """)

  @Argument(help: DataOptions.help)
  var dataset: String

  @Option(help: "The file to write.")
  var output: String

  @Option(parsing: .unconditional, help: "Shrink images whose longer side has more pixels.")
  var maxSide: Int?

  @Option(
    help:
      "source keeps JPEG and PNG files as they are, jpeg encodes everything, raw decodes everything: more bytes, no decoding."
  )
  var encoding: Packing.Encoding = .source

  @Option(parsing: .unconditional, help: "Quality of images that are encoded as JPEG, 1 to 100.")
  var quality: Int = 90

  @Option(parsing: .unconditional, help: "Threads that decode (default: all cores).")
  var threads: Int?

  @Flag(help: "Replace the file if it exists.")
  var overwrite = false

  @Flag(help: "Print JSON on standard output.")
  var json = false

  @OptionGroup var reading: ReadingFlags
  @OptionGroup var general: GeneralOptions

  struct Report: Encodable {
    var dataset: String
    var file: String
    var training: Int
    var heldOut: Int
    var classes: Int
    var bytes: Int
    var skipped: [SkippedImage]
  }

  func run() throws {
    try require(threads, "--threads", in: 1...1024)
    try require(maxSide, "--max-side", in: 1...1_000_000)
    try require(quality, "--quality", in: 1...100)
    guard !output.isEmpty else { throw UsageFailure("--output is empty; name the file to write") }
    guard overwrite || !FileManager.default.fileExists(atPath: output) else {
      throw FileFailure(.cannotCreate, path: output, reason: "exists already; choose another name, or give --overwrite")
    }
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
          + "classes in \(Text.millions(summary.bytes))B")
    }
  }
}
