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

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if folders.isEmpty { throw ValidationError("Name at least one run folder") }
    if folders.count > 1 && output == nil { throw ValidationError("Several runs need --output FILE.html") }
  }

  package func run() throws {
    let runs = folders.map { RunFolder(path: $0) }
    let report = try Report(runs)
    let path = output ?? runs[0].report
    for warning in try report.write(to: path, bundle: VegaBundle.find()) {
      general.warn(warning)
    }
    if let charts {
      try AtomicFile.createFolder(charts)
      _ = try report.writeChartSpecifications(to: charts)
    }
    try Output.text(path)
  }
}
