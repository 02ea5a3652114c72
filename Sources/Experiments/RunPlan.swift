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
  /// How the networks' times are told; nil tells none.
  public var latency: LatencyReading?

  /// Describes a run.
  public init(_ finding: WidthFinding, seeds: Int = 1, latency: LatencyReading? = nil) {
    self.finding = finding
    self.seeds = seeds
    self.latency = latency
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
      let networks = [("uniform", try subject.uniform(at: budget)), ("optimized", optimized)]
      var variants = try networks.map { try train($0.0, $0.1, budget, in: store) }
      // When all is trained, so that nothing of this run is busy beside it.
      let timed = surroundings.cohort.isWriter ? latency : nil
      for (index, times) in (try timed?.times(of: networks.map(\.1)) ?? []).enumerated() {
        variants[index].latency = times
      }
      var summary = try summary(widths.file, budget, variants)
      if widths.search != store.joined(place, "search") {
        summary.searchFolder = RunFolder.relative(widths.search, to: place)
      }
      try JSONFile.write(summary, to: store.folder(place).summary)
      return summary
    }
  }

  private var numbers: [Int] { (0..<seeds).map { finding.seed &+ $0 } }

  private func train(
    _ name: String, _ network: ResolvedNetwork, _ budget: Budget, in store: JobStore
  ) throws -> RunSummary.Variant {
    let done = try numbers.map { try train(name, network, budget, seed: $0, in: store) }
    let cost = network.cost
    return .init(
      name: name, macs: cost.macs, parameters: cost.parameters, results: done.map(\.output), seeds: numbers,
      folders: done.map { RunFolder.relative($0.folder, to: finding.place(of: budget)) })
  }

  private func train(
    _ name: String, _ network: ResolvedNetwork, _ budget: Budget, seed: Int, in store: JobStore
  ) throws -> JobStore.Done<TrainingResult> {
    let label = [
      name, seeds == 1 ? nil : "seed \(seed)", finding.budgets.count == 1 ? nil : finding.distinction(of: budget),
    ]
    .compactMap { $0 }.joined(separator: ", ")
    return try store.perform(
      subject.training(of: network, seed: seed),
      in: store.joined(finding.place(of: budget), "\(name)/seed-\(seed)"), label: label)
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
    summary.targetLatency = budget.model.isTime ? Double(budget.amount) / 1e9 : nil
    summary.latencyRuntime = latency?.source
    return summary
  }
}

extension RunPlan: PartedPlan {
  private static let search = "search"

  private struct Training {
    var name: String
    var variant: String
    var budget: Budget
    var seed: Int
    var needsSearch: Bool { variant == "optimized" }
  }

  private var trainings: [Training] {
    finding.budgets.flatMap { budget in
      ["uniform", "optimized"].flatMap { variant in
        numbers.map { seed in
          let place = finding.place(of: budget)
          return Training(
            name: (place.isEmpty ? "" : place + "/") + "\(variant)/seed-\(seed)", variant: variant, budget: budget,
            seed: seed)
        }
      }
    }
  }

  /// The search, and every training; those of the found networks wait for the search.
  public var parts: [PlanPart] {
    [PlanPart(Self.search)] + trainings.map { PlanPart($0.name, after: $0.needsSearch ? [Self.search] : []) }
  }

  /// Searches, or trains one network with one seed.
  ///
  /// - Throws: `UsageFailure` when there is no such part, `Interrupted` when it is stopped.
  public func perform(part: String, in store: JobStore) throws {
    if part == Self.search {
      _ = try finding.find(in: store)
      return
    }
    guard let training = trainings.first(where: { $0.name == part }),
      let index = finding.budgets.firstIndex(of: training.budget)
    else { throw UsageFailure("\(part) is no part of this run") }
    let network =
      training.needsSearch
      ? try subject.target.with(finding.find(in: store)[index].file.widths)
      : try subject.uniform(at: training.budget)
    _ = try train(training.variant, network, training.budget, seed: training.seed, in: store)
  }
}
