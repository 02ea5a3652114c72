import ArgumentParser
import Networks
import Transfer

package struct ProjectCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "project", abstract: "Shows the network that a projection leaves to search.",
    discussion:
      "Example: width-transfer project --network resnet50 --project width=0.707,depth=0.5,resolution=160 --json")

  @OptionGroup package var network: NetworkOptions

  @Option(help: "How network and data are shrunk, for example width=0.5,depth=0.5,resolution=14,data=20%.")
  package var project: String

  @Flag(help: "Print JSON on standard output, as inspect does.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func run() throws {
    let projection = try Projection(parsing: project)
    let source = try projection.applied(to: network.request.build().unfixed, divisor: network.divisor)
    let summary = NetworkSummary(source)
    if json { try Output.json(summary) } else { try Output.text(summary.table()) }
  }
}
