import ArgumentParser
import Foundation
import Reporting
import Runs
import WidthTransfer

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "The main job: project, search, extrapolate, train the uniform and the optimized network, report.",
    discussion: """
      Example: width-transfer run --network resnet20 --dataset fashion-mnist --project width=0.5,resolution=14,data=20% \
      --divisor 2 --epochs 10 --output runs/first
      """)

  @OptionGroup var network: NetworkOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var transfer: TransferOptions
  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  @Option(help: "Independent trainings of each network, for mean ± standard deviation.")
  var seeds: Int = 1

  func validate() throws {
    if seeds < 1 { throw ValidationError("--seeds must be at least 1") }
  }

  func run() throws {
    let run = try transfer.build(network: network, data: data, recipe: recipe, compute: compute)
    let folder = try output.prepare(
      Resolved.configuration(
        "run", network, data, recipe, run.recipe, compute, more: transfer.resolved(run, more: ["seeds": "\(seeds)"])))
    let summary = try run.run(in: folder, seeds: seeds, sinks: output.sinks, policy: output.policy)
    for warning in try Report([folder]).write(to: folder.report, bundle: VegaBundle.find()) {
      FileHandle.standardError.write(Data("width-transfer: \(warning)\n".utf8))
    }
    if output.json {
      try Output.print(summary)
    } else {
      for variant in summary.variants {
        let spread = Spread(variant.results.map(\.top1))
        let deviation = spread?.standardDeviation.map { " ± \(Text.decimal($0, 2))" } ?? ""
        print(
          "\(variant.name): top-1 \(Text.decimal(spread?.mean ?? .nan, 2))\(deviation) %, \(Text.millions(variant.macs)) MACs, "
            + "\(Text.millions(variant.parameters)) parameters")
      }
      print(
        "search: \(Text.decimal(summary.overhead.reduction, 1))x fewer FLOPs than a direct search, "
          + "\(Text.decimal(summary.overhead.seconds, 0)) s; report in \(folder.report)")
    }
  }
}
