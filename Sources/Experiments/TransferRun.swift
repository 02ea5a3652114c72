import Foundation
import ImageFiles
import Methods
import Networks
import Records
import Support
import Torch
import Training
import Transfer
import WidthSearch

/// The main job: project network and data, search widths there, carry them back, train, and set the result beside the
/// network at its own widths.
///
/// Every part runs in a folder of its own inside the run folder and can be stopped and started again at any moment.
/// Reference: Chin, Marculescu and Morcos, "Width Transfer" (2021), the pipeline of algorithms.md 1.2.
public struct TransferRun {
  /// The network whose widths are sought, at the target's resolution.
  public var target: Network
  /// The data.
  public var dataset: Dataset
  /// The part of the training data that counts as all of it.
  public var dataFraction: Double
  /// How network and data are shrunk for the search.
  public var projection: Projection
  /// The search method.
  public var optimizer: any WidthSearching
  /// The budgets of the target; at least one.
  public var budgets: [Budget]
  /// How blocks of the source stand for those of the target.
  public var stacking: Stacking
  /// Channel counts are multiples of this.
  public var divisor: Int
  /// How the search trains.
  public var searchRecipe: Recipe
  /// How the networks are trained in the end.
  public var recipe: Recipe
  /// The first seed: of the search and of the first training.
  public var seed: Int
  /// Where to compute.
  public var device: Device
  /// Threads that prepare batches.
  public var loaderThreads: Int

  /// Describes a run.
  public init(
    target: Network, dataset: Dataset, dataFraction: Double = 1, projection: Projection,
    optimizer: any WidthSearching, budgets: [Budget], stacking: Stacking, divisor: Int, searchRecipe: Recipe,
    recipe: Recipe, seed: Int = 0, device: Device = .cpu, loaderThreads: Int = 1
  ) {
    self.target = target
    self.dataset = dataset
    self.dataFraction = dataFraction
    self.projection = projection
    self.optimizer = optimizer
    self.budgets = budgets
    self.stacking = stacking
    self.divisor = divisor
    self.searchRecipe = searchRecipe
    self.recipe = recipe
    self.seed = seed
    self.device = device
    self.loaderThreads = loaderThreads
  }

  /// Makes readers of a part's events, given a label and the part's folder.
  public typealias Sinks = (_ label: String, _ folder: RunFolder) throws -> [any EventSink]

  /// The projected network: 𝒩 of the search.
  public func source() throws -> Network { try projection.applied(to: target, divisor: divisor) }

  /// The folder of a budget: the run folder itself when there is only one.
  public func place(of budget: Budget, in folder: RunFolder) -> RunFolder {
    budgets.count == 1 ? folder : RunFolder(path: folder.file(RunFolder.budgetPrefix + budget.text))
  }

  // MARK: - Search and extrapolation

  /// Searches on the projected network and carries the widths to the target; writes `widths.json` for every budget.
  ///
  /// Methods that serve several budgets search once for all, in the folder `search`; others once for each.
  ///
  /// - Parameters:
  ///   - folder: The run folder; searches have folders of their own inside.
  ///   - sinks: Makes readers of the search's events.
  ///   - policy: When to save.
  /// - Throws: `UsageFailure` before anything is done when the parts do not fit, `Interrupted` after a signal.
  /// - Returns: One file for each of ``budgets``.
  public func search(
    in folder: RunFolder, sinks: Sinks = { _, _ in [] }, policy: CheckpointPolicy = .init()
  ) throws -> [WidthsFile] {
    try validate()
    let source = try source()
    if optimizer.servesSeveralBudgets || budgets.count == 1 {
      let results = try searchJob(source, budgets).run(
        in: folder.search, sinks: try sinks("search", folder.search), policy: policy,
        remarks: { try remarks($0, source) })
      return try zip(budgets, results).map { budget, result in
        try keep(result, budget, source, in: place(of: budget, in: folder))
      }
    }
    return try budgets.map { budget in
      let place = place(of: budget, in: folder)
      let results = try searchJob(source, [budget]).run(
        in: place.search, sinks: try sinks("search, \(budget.text)", place.search), policy: policy,
        remarks: { try remarks($0, source) })
      return try keep(results[0], budget, source, in: place)
    }
  }

  /// Warnings about what becomes of a result on the target.
  private func remarks(_ result: SearchResult, _ source: Network) throws -> [String] {
    let budget = try budgets.first { try sourceTarget($0, source) == result.targetMACs }
    return try budget.flatMap { try match(result, $0, source).remark }.map { [$0] }
      ?? []
  }

  private func match(_ result: SearchResult, _ budget: Budget, _ source: Network) throws -> WidthMatch {
    if optimizer.keepsProportions {
      // The baseline is the target itself where it meets the budget, with nothing rounded.
      let network = try uniform(at: budget)
      return WidthMatch(
        widths: try network.widths, network: network, scale: 1, macs: try network.cost().macs, target: budget.macs)
    }
    return try Extrapolation.match(
      multipliers: result.multipliers(of: source), from: source, to: target, stacking: stacking, divisor: divisor,
      targetMACs: budget.macs)
  }

  private func keep(
    _ result: SearchResult, _ budget: Budget, _ source: Network, in place: RunFolder
  ) throws -> WidthsFile {
    let file = try widthsFile(try match(result, budget, source), result, budget, source: source)
    try AtomicFile.createFolder(place.path)
    try file.write(to: place.widths)
    return file
  }

  private func searchJob(_ source: Network, _ budgets: [Budget]) throws -> SearchJob {
    SearchJob(
      network: source, dataset: dataset, dataFraction: dataFraction * projection.data, optimizer: optimizer,
      targets: try budgets.map { try sourceTarget($0, source) }, recipe: searchRecipe, divisor: divisor, seed: seed,
      device: device, loaderThreads: loaderThreads)
  }

  /// The same part of the source's cost as the budget is of the target's.
  private func sourceTarget(_ budget: Budget, _ source: Network) throws -> Int {
    let ratio = Double(try source.cost().macs) / Double(try target.cost().macs)
    return max(1, Int((Double(budget.macs) * ratio).rounded()))
  }

  /// Finds out what cannot work before anything is searched, trained or removed.
  ///
  /// - Throws: What the search, the extrapolation or a training would throw, hours later.
  public func validate() throws {
    let source = try source()
    try TrainingJob(network: target, dataset: dataset, recipe: recipe).validate()
    try searchJob(source, budgets).validate()
    for budget in budgets {
      _ = try Extrapolation.match(
        multipliers: [:], from: source, to: target, stacking: stacking, divisor: divisor, targetMACs: budget.macs)
    }
  }

  private func widthsFile(
    _ match: WidthMatch, _ result: SearchResult, _ budget: Budget, source: Network
  ) throws -> WidthsFile {
    var file = try WidthsFile(
      match, target: target, source: source, projection: projection, algorithm: optimizer.name, targetMACs: budget.macs)
    file.overhead = try overhead(of: result)
    file.history = result.history
    file.evidence = result.evidence
    return file
  }

  /// What the search spent beside what it would have spent on the target itself, in the same passes.
  private func overhead(of result: SearchResult) throws -> WidthsFile.OverheadRecord {
    let direct = SearchJob(
      network: target, dataset: dataset, dataFraction: dataFraction, optimizer: optimizer, targets: [1],
      recipe: searchRecipe, divisor: divisor)
    let directFlops = result.cost.flops(at: try direct.scale())
    let spent = result.cost.flops
    return .init(
      flops: spent, seconds: result.cost.seconds, directFlops: directFlops,
      reduction: spent > 0 ? directFlops / spent : 1, nominalReduction: projection.nominalReduction(of: target))
  }

  // MARK: - Everything

  /// Searches, trains the target at its own widths and at the found ones, and writes `summary.json` for every budget.
  ///
  /// - Parameters:
  ///   - folder: The run folder.
  ///   - seeds: How many independent trainings of each network; mean ± standard deviation come from these.
  ///   - sinks: Makes readers of each part's events.
  ///   - policy: When to save between the ends of epochs.
  /// - Throws: `UsageFailure` before anything is done when the parts do not fit, `Interrupted` after a signal.
  /// - Returns: One summary for each of ``budgets``.
  public func run(
    in folder: RunFolder, seeds: Int = 1, sinks: Sinks = { _, _ in [] }, policy: CheckpointPolicy = .init()
  ) throws -> [RunSummary] {
    let files = try search(in: folder, sinks: sinks, policy: policy)
    return try zip(budgets, files).map { budget, widths in
      let place = place(of: budget, in: folder)
      let optimized = try target.with(Widths(widths.widths))
      var variants: [RunSummary.Variant] = []
      for (name, network) in [("uniform", try uniform(at: budget)), ("optimized", optimized)] {
        variants.append(
          try train(name, network, budget, in: place, seeds: seeds, sinks: sinks, policy: policy))
      }
      var summary = try summary(widths, budget, variants, optimized: optimized)
      if budgets.count > 1 && optimizer.servesSeveralBudgets { summary.searchFolder = "../search" }
      try JSONFile.write(summary, to: place.summary)
      return summary
    }
  }

  /// The baseline at a budget: the target itself, or scaled by one multiplier on all layers when that is not its own cost.
  public func uniform(at budget: Budget) throws -> Network {
    let ownMACs = try target.cost().macs
    return budget.macs == ownMACs ? target : try target.matching(macs: budget.macs, divisor: divisor).network
  }

  private func train(
    _ name: String, _ network: Network, _ budget: Budget, in folder: RunFolder, seeds: Int, sinks: Sinks,
    policy: CheckpointPolicy
  ) throws -> RunSummary.Variant {
    let numbers = (0..<seeds).map { seed &+ $0 }
    let results = try numbers.map { number in
      let place = folder.training(name, seed: number)
      let job = TrainingJob(
        network: network, dataset: dataset, recipe: recipe, dataFraction: dataFraction, seed: number, device: device,
        loaderThreads: loaderThreads)
      let label = [name, seeds == 1 ? nil : "seed \(number)", budgets.count == 1 ? nil : budget.text]
        .compactMap { $0 }.joined(separator: ", ")
      return try job.run(in: place, sinks: try sinks(label, place), policy: policy)
    }
    let cost = try network.cost()
    return .init(
      name: name, macs: cost.macs, parameters: cost.parameters, results: results, seeds: numbers,
      folders: numbers.map { "\(name)/seed-\($0)" })
  }

  private func summary(
    _ widths: WidthsFile, _ budget: Budget, _ variants: [RunSummary.Variant], optimized: Network
  ) throws -> RunSummary {
    let source = try source()
    let groups = try target.widthGroups.map { group in
      RunSummary.Group(
        id: group.id, stage: group.stage.map { target.stages[$0].name }, original: group.width,
        optimized: widths.widths[group.id] ?? group.width)
    }
    let training = TrainingJob(network: target, dataset: dataset, recipe: recipe, dataFraction: dataFraction)
    guard let projection = widths.projection, let overhead = widths.overhead else {
      throw FileFailure(.badData, path: "widths.json", reason: "it does not say what the search cost; search anew")
    }
    return RunSummary(
      network: target.name, dataset: dataset.name, algorithm: optimizer.name, resolution: target.input.height,
      images: training.imageCount, classes: dataset.classNames.count, targetMacs: budget.macs, projection: projection,
      sourceMacs: try source.cost().macs, overhead: overhead, groups: groups, variants: variants)
  }
}
