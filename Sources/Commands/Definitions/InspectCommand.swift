import ArgumentParser
import Networks
import Records

package struct InspectCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Shows layers, shapes, width groups, stages, MACs and parameters of a network.",
    discussion: "Example: width-transfer inspect --network mobilenet_v2 --json")

  @Argument(help: "The network; the same as --network.")
  package var name: String?

  @Option(help: "A name of the zoo or a network as FILE.json.")
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

  @Option(help: "Show the network at the widths of this file.")
  package var widths: String?

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if (name == nil) == (network == nil) { throw ValidationError("Name one network, for example: inspect resnet18") }
  }

  package func run() throws {
    let request = NetworkRequest(
      name: name ?? network ?? "", width: width, depth: depth, classes: classes, inputChannels: inputChannels,
      resolution: resolution, divisor: divisor)
    var described = try request.build()
    if let widths { described = try described.with(widthsFile: widths) }
    let summary = NetworkSummary(described)
    if json { try Output.json(summary) } else { try Output.text(summary.table()) }
  }
}
