import Commands
import Experiments
import Foundation
import Records
import WidthSearch

extension SearchCommand: EngineWork {
  package func perform() throws {
    let run = try transfer.build(
      algorithm.optimizer(transfer).searching(), network: network, data: data, recipe: recipe, compute: compute, general
    )
    try run.validate()
    let configuration = try Resolved.configuration(
      "search", network, data, run.recipe, compute, on: run.device, more: transfer.resolved(run), lists: transfer.lists)
    let files = try output.session(configuration, general) { folder in
      let files = try run.search(in: folder, sinks: { try output.sinks($0, in: $1, general) }, policy: output.policy)
      // Each budget's folder says by itself what was asked.
      if run.budgets.count > 1 {
        for budget in run.budgets { try configuration.write(to: run.place(of: budget, in: folder).configuration) }
      }
      return files
    }
    if output.json {
      try Output.one(files)
    } else {
      for (budget, file) in zip(run.budgets, files) {
        let place = run.place(of: budget, in: RunFolder(path: output.output))
        try Output.text(
          "\(Text.millions(file.macs ?? 0)) MACs (budget \(Text.millions(file.targetMacs ?? 0))); widths in \(place.widths)"
        )
      }
    }
  }
}
