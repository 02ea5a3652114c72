import Datasets
import Foundation
import Networks
import Runs
import Support
import Torch
import Training
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
  public var optimizer: any WidthOptimizer
  /// The budget of the target, in MACs.
  public var targetMACs: Int
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
    optimizer: any WidthOptimizer, targetMACs: Int, stacking: Stacking, divisor: Int, searchRecipe: Recipe,
    recipe: Recipe, seed: Int = 0, device: Device = .cpu, loaderThreads: Int = 1
  ) {
    self.target = target
    self.dataset = dataset
    self.dataFraction = dataFraction
    self.projection = projection
    self.optimizer = optimizer
    self.targetMACs = targetMACs
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

  // MARK: - Search and extrapolation

  /// Searches on the projected network and carries the widths to the target; writes `widths.json`.
  ///
  /// - Parameters:
  ///   - folder: The run folder; the search has a folder of its own inside.
  ///   - sinks: Makes readers of the search's events.
  ///   - policy: When to save.
  /// - Throws: `UsageFailure` before anything is done when the parts do not fit, `Interrupted` after a signal.
  public func search(
    in folder: RunFolder, sinks: Sinks = { _, _ in [] }, policy: CheckpointPolicy = .init()
  ) throws -> WidthsFile {
    try validate()
    let source = try source()
    let job = try searchJob(source)
    let result = try job.run(in: folder.search, sinks: try sinks("search", folder.search), policy: policy)
    let match = try Extrapolation.match(
      multipliers: result.multipliers(of: source), from: source, to: target, stacking: stacking, divisor: divisor,
      targetMACs: targetMACs)
    let file = try widthsFile(match, result, source: source)
    try file.write(to: folder.widths)
    if let warning = Self.warning(about: match, targetMACs: targetMACs) {
      let log = try EventLog(path: folder.search.events)
      try EventStream([log] + sinks("search", folder.search)).send(.warning(.init(message: warning)))
    }
    return file
  }

  /// What to tell a person when the rounded widths miss the budget by more than 1 % (algorithms.md 1.4).
  public static func warning(about match: WidthMatch, targetMACs: Int) -> String? {
    guard abs(match.relativeError) > 0.01 else { return nil }
    let percent = String(format: "%+.1f", 100 * match.relativeError)
    return
      "the nearest network to the budget of \(targetMACs) MACs costs \(match.macs), \(percent) %: a smaller --divisor "
      + "comes nearer"
  }

  private func searchJob(_ source: Network) throws -> SearchJob {
    // The same part of the source's cost as the budget is of the target's.
    let part = Double(targetMACs) / Double(try target.cost().macs)
    return SearchJob(
      network: source, dataset: dataset, dataFraction: dataFraction * projection.data, optimizer: optimizer,
      targetMACs: max(1, Int((Double(try source.cost().macs) * part).rounded())), recipe: searchRecipe,
      divisor: divisor, seed: seed, device: device, loaderThreads: loaderThreads)
  }

  /// Finds out what cannot work before anything is searched, trained or removed.
  ///
  /// - Throws: What the search, the extrapolation or a training would throw, hours later.
  public func validate() throws {
    let source = try source()
    try TrainingJob(network: source, dataset: dataset, recipe: searchRecipe).validate()
    try TrainingJob(network: target, dataset: dataset, recipe: recipe).validate()
    try optimizer.validate(source, recipe: searchRecipe)
    _ = try Extrapolation.match(
      multipliers: [:], from: source, to: target, stacking: stacking, divisor: divisor, targetMACs: targetMACs)
  }

  private func widthsFile(_ match: WidthMatch, _ result: SearchResult, source: Network) throws -> WidthsFile {
    var file = try WidthsFile(
      match, target: target, source: source, projection: projection, algorithm: optimizer.name, targetMACs: targetMACs)
    file.overhead = try overhead(of: result, source: source)
    file.history = result.history
    return file
  }

  /// What the search spent beside what it would have spent on the target itself, in the same passes.
  private func overhead(of result: SearchResult, source: Network) throws -> WidthsFile.OverheadRecord {
    let count = TrainingJob(
      network: target, dataset: dataset, recipe: searchRecipe, dataFraction: dataFraction
    ).imageCount
    let batch = min(searchRecipe.batchSize, count)
    let targetImages = count / batch * batch
    let direct = result.cost.flops(
      supernetMACs: try optimizer.widestNetwork(for: target, divisor: divisor).cost().macs,
      trainingImages: targetImages)
    let spent = result.cost.flops
    return .init(
      flops: spent, seconds: result.cost.seconds, directFlops: direct, reduction: spent > 0 ? direct / spent : 1,
      nominalReduction: projection.nominalReduction(of: target))
  }

  // MARK: - Everything

  /// Searches, trains the target at its own widths and at the found ones, and writes `summary.json`.
  ///
  /// - Parameters:
  ///   - folder: The run folder.
  ///   - seeds: How many independent trainings of each network; mean ± standard deviation come from these.
  ///   - sinks: Makes readers of each part's events.
  ///   - policy: When to save between the ends of epochs.
  /// - Throws: `UsageFailure` before anything is done when the parts do not fit, `Interrupted` after a signal.
  public func run(
    in folder: RunFolder, seeds: Int = 1, sinks: Sinks = { _, _ in [] }, policy: CheckpointPolicy = .init()
  ) throws -> RunSummary {
    let widths = try search(in: folder, sinks: sinks, policy: policy)
    let optimized = try target.with(Widths(widths.widths))
    // The baseline meets the same budget: when that is not the network's own cost, by one multiplier on all layers.
    let ownMACs = try target.cost().macs
    let uniform = targetMACs == ownMACs ? target : try target.matching(macs: targetMACs, divisor: divisor).network
    var variants: [RunSummary.Variant] = []
    for (name, network) in [("uniform", uniform), ("optimized", optimized)] {
      variants.append(try train(name, network, in: folder, seeds: seeds, sinks: sinks, policy: policy))
    }
    let summary = try summary(widths, variants, optimized: optimized)
    try JSONFile.write(summary, to: folder.summary)
    return summary
  }

  private func train(
    _ name: String, _ network: Network, in folder: RunFolder, seeds: Int, sinks: Sinks, policy: CheckpointPolicy
  ) throws -> RunSummary.Variant {
    let numbers = (0..<seeds).map { seed &+ $0 }
    let results = try numbers.map { number in
      let place = folder.training(name, seed: number)
      let job = TrainingJob(
        network: network, dataset: dataset, recipe: recipe, dataFraction: dataFraction, seed: number, device: device,
        loaderThreads: loaderThreads)
      let label = seeds == 1 ? name : "\(name), seed \(number)"
      return try job.run(in: place, sinks: try sinks(label, place), policy: policy)
    }
    let cost = try network.cost()
    return .init(
      name: name, macs: cost.macs, parameters: cost.parameters, results: results, seeds: numbers,
      folders: numbers.map { "\(name)/seed-\($0)" })
  }

  private func summary(
    _ widths: WidthsFile, _ variants: [RunSummary.Variant], optimized: Network
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
      images: training.imageCount, classes: dataset.classNames.count, targetMacs: targetMACs, projection: projection,
      sourceMacs: try source.cost().macs, overhead: overhead, groups: groups, variants: variants)
  }
}
