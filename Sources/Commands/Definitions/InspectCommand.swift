import ArgumentParser
import Networks
import Records
import Support

package struct InspectCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Shows layers, shapes, width groups, stages, MACs and parameters of a network.",
    discussion: "Example: width-transfer inspect --network mobilenet_v2 --json")

  @Argument(help: "The network; the same as --network.", completion: Completions.networks)
  package var name: String?

  @Option(help: "A name of the zoo or a network as FILE.json or FILE.onnx.", completion: Completions.networks)
  package var network: String?

  @Option(parsing: .unconditional, help: "Scale every layer's channels by this factor first.")
  package var width: Double?

  @Option(parsing: .unconditional, help: "Scale every stage's number of blocks by this factor first.")
  package var depth: Double?

  @Option(parsing: .unconditional, help: "Classes (default: 1000).")
  package var classes: Int?

  @Option(parsing: .unconditional, help: "Channels of the images (default: 3).")
  package var inputChannels: Int?

  @Option(parsing: .unconditional, help: "Side of the images in pixels (default: the network's own).")
  package var resolution: Int?

  @Option(parsing: .unconditional, help: "Channel counts are multiples of this.")
  package var divisor: Int = 8

  @OptionGroup package var importing: ImportOptions

  @Option(help: "Show the network at the widths of this file.", completion: .file())
  package var widths: String?

  @Option(help: "Show how long each layer takes by this table of `latency measure`.", completion: .file())
  package var latencyTable: String?

  /// What is printed.
  package enum Format: String, ExpressibleByArgument, CaseIterable {
    /// A table for people.
    case table
    /// What the table says, for programs.
    case json
    /// The network itself, as `--network FILE.json` reads it.
    case network
  }

  @Option(help: "What to print: a table, its content as JSON, or the network as a document that --network reads.")
  package var format: Format = .table

  @Flag(help: "Print JSON on standard output: the same as --format json.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if json && format == .network { throw ValidationError("Give --json or --format network, not both") }
    if (name == nil) == (network == nil) { throw ValidationError("Name one network, for example: inspect resnet18") }
  }

  package func run() throws {
    try importing.require(name ?? network)
    let request = importing.reading(
      NetworkRequest(
        name: name ?? network ?? "", width: width, depth: depth, classes: classes, inputChannels: inputChannels,
        resolution: resolution, divisor: divisor), general)
    var described = try request.build()
    if let widths { described = try described.with(widthsFile: widths) }
    let table = try latencyTable.map { try LatencyTable(path: $0) }
    try table?.requireForms(of: described)
    switch json ? .json : format {
    case .table: try Output.text(NetworkSummary(described, by: table).table())
    case .json: try Output.json(NetworkSummary(described, by: table))
    case .network: try StandardOutput.write(described.network.json())
    }
  }
}
