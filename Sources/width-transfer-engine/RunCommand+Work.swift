import Commands
import Experiments
import Foundation
import Methods
import Records
import Reporting
import Support
import Training
import Transfer
import WidthSearch

extension RunCommand: EngineWork {
  package static var worksTogether: Bool { true }

  package func perform() throws {
    try require(seeds, "--seeds", in: 1...1000)
    let subject = try transfer.subject(
      network: network, data: data, recipe: recipe, compute: compute, general, jobs: jobs, tracks: tracking.track)
    let finding = try transfer.finding(
      algorithm.optimizer(transfer).searching(), subject, transfer.projection(), transfer.stacking(), seed: compute.seed
    )
    try finding.validate()
    if jobs.part != nil {
      // Whoever started this process has chosen the projection.
      let part = try transfer.fitted(finding, in: RunFolder(path: output.output), general)
      if try jobs.isPart(of: RunPlan(part, seeds: seeds), output) { return }
    }
    let cohort = try launcher.cohort(jobs)
    let configuration = try Resolved.configuration(
      "run", network, data, subject.dataset, subject.recipe, compute, on: subject.device,
      more: transfer.resolved(finding, more: ["seeds": "\(seeds)"].merging(launcher.resolved(cohort)) { $1 }),
      lists: transfer.lists.merging(["track": tracking.track.map(\.rawValue)]) { $1 })
    let summaries = try output.session(configuration, general, with: cohort) { folder, surroundings in
      let plan = RunPlan(
        try transfer.fitted(finding, in: folder, general, cohort), seeds: seeds,
        latency: try transfer.timing.reading(for: subject.target, subject.device, general))
      try jobs.perform(plan, output, general)
      let summaries = try plan.run(in: folder, surroundings)
      guard cohort.isWriter else { return summaries }
      for budget in finding.budgets {
        let place = finding.folder(of: budget, in: folder)
        // Each budget's folder says by itself what was asked.
        if finding.budgets.count > 1 { try configuration.write(to: place.configuration) }
        for warning in try Report.write(place) { general.warn(warning) }
      }
      return summaries
    }
    guard let summaries else { return }
    if output.json {
      try Output.one(summaries)
    } else {
      for (budget, summary) in zip(finding.budgets, summaries) {
        let place = finding.folder(of: budget, in: RunFolder(path: output.output))
        try tell(summary, budget: finding.budgets.count > 1 ? finding.distinction(of: budget) : nil, in: place)
      }
    }
  }

  private static func times(_ latency: LatencyRecord?) -> String {
    guard let latency else { return "" }
    let predicted = "\(Format.milliseconds(latency.predicted)) predicted"
    return ", " + (latency.measured.map { "\(Format.milliseconds($0)) (\(predicted))" } ?? predicted)
  }

  private func tell(_ summary: RunSummary, budget: String?, in folder: RunFolder) throws {
    let prefix = budget.map { "\($0), " } ?? ""
    for variant in summary.variants {
      let spread = Spread(variant.results.map(\.top1))
      let deviation = spread?.standardDeviation.map { " ± \(Format.decimal($0, 2))" } ?? ""
      try Output.text(
        "\(prefix)\(variant.name): top-1 \(Format.decimal(spread?.mean ?? .nan, 2))\(deviation) %, "
          + "\(Format.amount(variant.macs)) MACs, \(Format.amount(variant.parameters)) parameters"
          + Self.times(variant.latency))
    }
    if summary.isOneNetwork {
      try Output.text("\(prefix)the search returned the uniform widths: one training serves both names")
    }
    let saved =
      summary.projection == .identity
      ? "" : "\(Format.decimal(summary.overhead.reduction, 1))x fewer FLOPs than a direct search, "
    try Output.text(
      "\(prefix)search: \(saved)"
        + "\(Format.decimal(summary.overhead.seconds, 0)) s; report in \(folder.report)")
  }
}
