import Commands
import Experiments
import Foundation
import Records
import WidthSearch

extension SearchCommand: EngineWork {
  package static var worksTogether: Bool { true }

  package func perform() throws {
    let subject = try transfer.subject(network: network, data: data, recipe: recipe, compute: compute, general)
    let finding = try transfer.finding(
      algorithm.optimizer(transfer).searching(), subject, transfer.projection(), transfer.stacking(), seed: compute.seed
    )
    try finding.validate()
    let cohort = try launcher.cohort()
    let configuration = try Resolved.configuration(
      "search", network, data, subject.dataset, subject.recipe, compute, on: subject.device,
      more: transfer.resolved(finding, more: launcher.resolved(cohort)),
      lists: transfer.lists)
    let files = try output.session(configuration, general, with: cohort) { folder, surroundings in
      let files = try SearchPlan(transfer.fitted(finding, in: folder, general, cohort)).run(
        in: folder, surroundings)
      // Each budget's folder says by itself what was asked.
      if finding.budgets.count > 1 {
        for budget in finding.budgets {
          try configuration.write(to: finding.folder(of: budget, in: folder).configuration)
        }
      }
      return files
    }
    guard let files else { return }
    if output.json {
      try Output.one(files)
    } else {
      for (budget, file) in zip(finding.budgets, files) {
        let place = finding.folder(of: budget, in: RunFolder(path: output.output))
        try Output.text(
          "\(file.costs(of: budget)); widths in \(place.widths)"
        )
      }
    }
  }
}
