import ArgumentParser
import Foundation
import Networks
import Records
import Transfer

package struct ExtrapolateCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "extrapolate",
    abstract:
      "Carries widths of a projected network over to the whole one, at equal MACs. Instant: no data, no tensors.",
    discussion: """
      Example: width-transfer extrapolate --network resnet50 --project width=0.707,depth=0.5,resolution=160 \
      --widths searched.json --output widths.json
      """)

  @OptionGroup package var network: NetworkOptions

  @Option(help: "The projection that the widths were searched under.")
  package var project: String = ""

  @Option(help: "The widths of the projected network.", completion: .file())
  package var widths: String

  @Option(help: "The budget: relative to the network (1.0x) or in MACs (300M).")
  package var flops: [String] = []

  @Option(help: "The budget in parameters: relative to the network (0.6x) or an amount (2M).")
  package var parameters: [String] = []

  @OptionGroup package var timing: LatencyOptions

  @OptionGroup package var fixing: FixOption

  @Option(help: "How blocks of the small network stand for those of the whole one.")
  package var stacking: Stacking = .averageBlock

  @Option(help: "Where to write the widths of the whole network (default: standard output).", completion: .file())
  package var output: String?

  @Flag(help: "Replace the file that is there.")
  package var overwrite = false

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if flops.count + parameters.count + timing.latency.count > 1 {
      throw ValidationError("Give one budget: --flops, --parameters or --latency")
    }
  }

  package func run() throws {
    if let output { try ResultFile.require(output, overwrite: overwrite) }
    let projection = project.isEmpty ? Projection() : try Projection(parsing: project)
    let built = try network.request.build()
    let fixed = try built.groups(matching: fixing.fix).union(built.network.fixed)
    let target = try built.fixing(fixed)
    let source = try projection.applied(to: built.unfixed, divisor: network.divisor)
    let given = try WidthsFile(path: widths)
    let searched = try source.with(given, at: widths)
    let budget =
      try timing.budgets(of: target).first
      ?? parameters.first.map { try Budget(parsing: $0, in: .parameters, of: target) }
      ?? Budget(parsing: flops.first ?? "1.0x", of: target)
    let match = try Extrapolation.match(
      widths: searched.widths, from: source, to: target, stacking: stacking, divisor: network.divisor,
      budget: budget)
    if let warning = match.remark(divisor: network.divisor) { general.warn(warning) }
    let file = try WidthsFile(
      match, target: target, source: source, projection: projection, algorithm: given.algorithm,
      timing: timing.table(for: target))
    if let output { try file.write(to: output) }
    if json || output == nil {
      try Output.json(file)
    } else {
      try Output.text(
        "\(file.costs(of: budget)); widths in \(output ?? "")")
    }
  }
}
