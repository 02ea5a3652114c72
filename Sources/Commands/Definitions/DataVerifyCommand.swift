import ArgumentParser
import Foundation
import ImageFiles
import Reporting
import Support

package struct DataVerifyCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Decodes every image of a data set and lists what is wrong; exit code 65 where one cannot be used.",
    discussion: "Example: width-transfer data verify photos/ --threads 8")

  @Argument(help: DataOptions.help, completion: .file())
  package var dataset: String

  @Option(parsing: .unconditional, help: "Threads that decode (default: all cores).")
  package var threads: Int?

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var reading: ReadingFlags
  @OptionGroup package var general: GeneralOptions

  package struct Report: Encodable {
    struct Split: Encodable {
      var images: Int
      /// The smallest and the largest number of images of a class.
      var smallestClass: Int
      var largestClass: Int
    }

    var dataset: String
    var format: String
    var classes: Int
    var training: Split
    var heldOut: Split
    var faults: [DatasetVerification.Fault]
    /// Images that are read although they are damaged.
    var damaged: [DatasetVerification.Fault]
    /// What was left out, and what was decided.
    var remarks: [String]
  }

  package func run() throws {
    try require(threads, "--threads", in: 1...1024)
    // Whatever is wrong is listed: opening must not end with the first.
    var reading = reading
    reading.onBadImage = .skip
    let opened = try DataOptions.open(dataset, reading, general, tellsRemarks: false)
    Interruption.listen()
    let shown = WorkProgress(label: "verify", unit: "images", isQuiet: general.quiet)
    defer { shown.clear() }
    let verification = try DatasetVerification(
      opened, threads: threads ?? ProcessInfo.processInfo.activeProcessorCount
    ) { done, all in
      try Interruption.check()
      shown.show(done, of: all)
    }
    shown.clear()
    let report = Report(
      dataset: opened.name, format: opened.format, classes: opened.classNames.count,
      training: Self.split(opened.training), heldOut: Self.split(opened.heldOut), faults: verification.faults,
      damaged: verification.damaged, remarks: opened.remarks)
    if json { try Output.json(report) } else { try tell(report, verification.images) }
    if !report.faults.isEmpty { throw ExitCode(ExitStatus.badData.rawValue) }
  }

  private static func split(_ source: any ImageSource) -> Report.Split {
    var counts = [Int](repeating: 0, count: source.classNames.count)
    for index in source.indices { counts[source.label(at: index)] += 1 }
    return .init(images: source.count, smallestClass: counts.min() ?? 0, largestClass: counts.max() ?? 0)
  }

  private func tell(_ report: Report, _ images: Int) throws {
    for fault in report.damaged { try Output.text("\(fault.file): damaged, but read: \(Flags.spell(fault.reason))") }
    for fault in report.faults { try Output.text("\(fault.file): \(Flags.spell(fault.reason))") }
    try Output.text(
      "\(report.dataset): \(report.format), \(report.classes) classes; training \(report.training.images) images "
        + "(\(report.training.smallestClass) to \(report.training.largestClass) a class), held-out "
        + "\(report.heldOut.images) (\(report.heldOut.smallestClass) to \(report.heldOut.largestClass) a class)")
    for remark in report.remarks { try Output.text(remark) }
    try Output.text(
      report.faults.isEmpty
        ? report.damaged.isEmpty
          ? "all \(images) images are sound" + (report.remarks.isEmpty ? "" : "; what is no part of them is said above")
          : "\(report.damaged.count) of \(images) images are damaged; all can be used"
        : "\(report.faults.count) of \(images) images cannot be used")
  }
}
