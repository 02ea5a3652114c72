import ArgumentParser
import Foundation
import Networks
import Runs
import Support
import WidthTransfer

struct ExtrapolateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extrapolate",
    abstract:
      "Carries widths of a projected network over to the whole one, at equal MACs. Instant: no data, no tensors.",
    discussion: """
      Example: width-transfer extrapolate --network resnet50 --project width=0.707,depth=0.5,resolution=160 \
      --widths searched.json --output widths.json
      """)

  @OptionGroup var network: NetworkOptions

  @Option(help: "The projection that the widths were searched under.")
  var project: String = ""

  @Option(help: "The widths of the projected network.")
  var widths: String

  @Option(help: "The budget: relative to the network (1.0x) or in MACs (300M).")
  var flops: String = "1.0x"

  @Option(help: "How blocks of the small network stand for those of the whole one.")
  var stacking: Stacking = .averageBlock

  @Option(help: "Where to write the widths of the whole network (default: standard output).")
  var output: String?

  @Flag(help: "Print JSON on standard output.")
  var json = false

  @OptionGroup var general: GeneralOptions

  func run() throws {
    let projection = project.isEmpty ? Projection() : try Projection(parsing: project)
    let target = try network.request.build()
    let source = try projection.applied(to: target, divisor: network.divisor)
    let searched = try source.with(widthsFile: widths)
    let budget = try Budget(parsing: flops, of: target).macs
    let match = try Extrapolation.match(
      widths: searched.widths, from: source, to: target, stacking: stacking, divisor: network.divisor,
      targetMACs: budget)
    if let warning = TransferRun.warning(about: match, targetMACs: budget) { general.warn(warning) }
    let file = try WidthsFile(
      match, target: target, source: source, projection: projection, algorithm: WidthsFile(path: widths).algorithm,
      targetMACs: budget)
    if let output { try file.write(to: output) }
    if json || output == nil {
      try Output.json(file)
    } else {
      try Output.text(
        "\(Text.millions(match.macs)) MACs (budget \(Text.millions(file.targetMacs ?? 0))); widths in \(output ?? "")")
    }
  }
}
