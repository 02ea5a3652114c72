import ArgumentParser
import Foundation
import Records
import Reporting
import Support

package struct ReportCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "(Re)builds report.html of a run, or one page that sets several runs side by side.",
    discussion: "Example: width-transfer report runs/first runs/second --output comparison.html")

  @Argument(help: "Run folders.", completion: .directory)
  package var folders: [String]

  @Option(help: "The file to write (default: report.html in the only run folder).", completion: .file())
  package var output: String?

  @Option(
    help: ArgumentHelp("Also write each chart's Vega-Lite specification into this folder.", visibility: .hidden),
    completion: .directory)
  package var charts: String?

  @Flag(help: "Print what was written as JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  /// What `report --json` prints.
  private struct Written: Encodable {
    var report: String
    var runs: [String]
    var warnings: [String]
  }

  package func validate() throws {
    if folders.isEmpty { throw ValidationError("Name at least one run folder") }
    if folders.count > 1 && output == nil { throw ValidationError("Several runs need --output FILE.html") }
  }

  package func run() throws {
    let runs = folders.map { RunFolder(path: $0) }
    let report = try Report(runs)
    let path = output ?? runs[0].report
    let warnings = try report.write(to: path, bundle: VegaBundle.find())
    for warning in warnings { general.warn(warning) }
    if let charts {
      try AtomicFile.createFolder(charts)
      _ = try report.writeChartSpecifications(to: charts)
    }
    if json {
      try Output.json(Written(report: path, runs: folders, warnings: warnings))
    } else {
      try Output.text(path)
    }
  }
}
