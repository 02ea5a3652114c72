import ImageFiles
import Methods
import Networks
import Records
import Support
import Training
import Transfer

/// The main job: find widths, train the target at its own widths and at the found ones, and set the two side by side.
///
/// Every part is a job in a folder of its own inside the run folder and can be stopped and started again at any moment.
public struct RunPlan {
  /// The way to widths; its seed is the first of the trainings' seeds, too.
  public var finding: WidthFinding
  /// How many independent trainings of each network; mean ± standard deviation come from these.
  public var seeds: Int

  /// Describes a run.
  public init(_ finding: WidthFinding, seeds: Int = 1) {
    self.finding = finding
    self.seeds = seeds
  }

  private var subject: Subject { finding.subject }

  /// Searches, trains, and writes `summary.json` for every budget.
  ///
  /// - Throws: `UsageFailure` before anything is done when the parts do not fit, `Interrupted` when it is stopped.
  /// - Returns: One summary for each budget.
  public func run(in folder: RunFolder, _ surroundings: JobSurroundings = .init()) throws -> [RunSummary] {
    try finding.validate()
    let store = try JobStore(folder, plan: .run, surroundings: surroundings)
    let found = try finding.find(in: store)
    return try zip(finding.budgets, found).map { budget, widths in
      let place = finding.place(of: budget)
      let optimized = try subject.target.with(widths.file.widths)
      let variants = try [("uniform", try subject.uniform(at: budget)), ("optimized", optimized)].map {
        try train($0.0, $0.1, budget, in: store)
      }
      var summary = try summary(widths.file, budget, variants)
      if widths.search != store.joined(place, "search") {
        summary.searchFolder = RunFolder.relative(widths.search, to: place)
      }
      try JSONFile.write(summary, to: store.folder(place).summary)
      return summary
    }
  }

  private func train(
    _ name: String, _ network: ResolvedNetwork, _ budget: Budget, in store: JobStore
  ) throws -> RunSummary.Variant {
    let numbers = (0..<seeds).map { finding.seed &+ $0 }
    let place = finding.place(of: budget)
    let done = try numbers.map { number in
      let label = [name, seeds == 1 ? nil : "seed \(number)", finding.budgets.count == 1 ? nil : budget.text]
        .compactMap { $0 }.joined(separator: ", ")
      return try store.perform(
        subject.training(of: network, seed: number), in: store.joined(place, "\(name)/seed-\(number)"), label: label)
    }
    let cost = network.cost
    return .init(
      name: name, macs: cost.macs, parameters: cost.parameters, results: done.map(\.output), seeds: numbers,
      folders: done.map { RunFolder.relative($0.folder, to: place) })
  }

  private func summary(
    _ widths: WidthsFile, _ budget: Budget, _ variants: [RunSummary.Variant]
  ) throws -> RunSummary {
    let target = subject.target
    guard let projection = widths.projection, let overhead = widths.overhead else {
      throw FileFailure(.badData, path: "widths.json", reason: "it does not say what the search cost; search anew")
    }
    var summary = RunSummary(
      network: target.name, dataset: subject.dataset.name, algorithm: finding.optimizer.name,
      resolution: target.input.height, images: subject.training(of: target, seed: finding.seed).imageCount,
      classes: subject.dataset.classNames.count, targetMacs: budget.model == .macs ? budget.amount : variants[0].macs,
      projection: projection,
      sourceMacs: try finding.ends().source.cost.macs, overhead: overhead,
      groups: GroupRecord.all(of: target, widths: widths.widths), variants: variants)
    summary.targetParameters = budget.model == .parameters ? budget.amount : nil
    return summary
  }
}
