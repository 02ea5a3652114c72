import Commands
import Experiments
import Foundation
import Records
import Reporting
import Transfer
import WidthSearch

extension RunCommand: EngineWork {
  package func perform() throws {
    try require(seeds, "--seeds", in: 1...1000)
    let run = try transfer.build(
      algorithm.optimizer(transfer).searching(), network: network, data: data, recipe: recipe, compute: compute, general
    )
    try run.validate()
    let configuration = try Resolved.configuration(
      "run", network, data, run.recipe, compute, on: run.device,
      more: transfer.resolved(run, more: ["seeds": "\(seeds)"]), lists: transfer.lists)
    let summaries = try output.session(configuration, general) { folder in
      let summaries = try run.run(
        in: folder, seeds: seeds, sinks: { try output.sinks($0, in: $1, general) }, policy: output.policy)
      for budget in run.budgets {
        let place = run.place(of: budget, in: folder)
        // Each budget's folder says by itself what was asked.
        if run.budgets.count > 1 { try configuration.write(to: place.configuration) }
        for warning in try Report.write(place) { general.warn(warning) }
      }
      return summaries
    }
    if output.json {
      try Output.one(summaries)
    } else {
      for (budget, summary) in zip(run.budgets, summaries) {
        let place = run.place(of: budget, in: RunFolder(path: output.output))
        try tell(summary, budget: run.budgets.count > 1 ? budget.text : nil, in: place)
      }
    }
  }

  private func tell(_ summary: RunSummary, budget: String?, in folder: RunFolder) throws {
    let prefix = budget.map { "\($0), " } ?? ""
    for variant in summary.variants {
      let spread = Spread(variant.results.map(\.top1))
      let deviation = spread?.standardDeviation.map { " ± \(Text.decimal($0, 2))" } ?? ""
      try Output.text(
        "\(prefix)\(variant.name): top-1 \(Text.decimal(spread?.mean ?? .nan, 2))\(deviation) %, "
          + "\(Text.millions(variant.macs)) MACs, \(Text.millions(variant.parameters)) parameters")
    }
    try Output.text(
      "\(prefix)search: \(Text.decimal(summary.overhead.reduction, 1))x fewer FLOPs than a direct search, "
        + "\(Text.decimal(summary.overhead.seconds, 0)) s; report in \(folder.report)")
  }
}
