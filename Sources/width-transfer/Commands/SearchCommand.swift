import ArgumentParser
import Runs

struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search", abstract: "Projects, searches widths and extrapolates them; writes widths.json.",
    discussion: """
      Example: width-transfer search --network resnet20 --dataset fashion-mnist --project width=0.5,data=20% \
      --divisor 2 --output runs/search
      """)

  @OptionGroup var network: NetworkOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var transfer: TransferOptions
  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let run = try transfer.build(network: network, data: data, recipe: recipe, compute: compute)
    let folder = try output.prepare(
      Resolved.configuration("search", network, data, recipe, run.recipe, compute, more: transfer.resolved(run)))
    let file = try run.search(in: folder, sinks: output.sinks, policy: output.policy)
    if output.json {
      try Output.print(file)
    } else {
      print("\(Text.millions(file.macs ?? 0)) MACs (budget \(Text.millions(file.targetMacs ?? 0))); widths in \(folder.widths)")
    }
  }
}
