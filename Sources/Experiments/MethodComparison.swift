import Foundation
import ImageFiles
import Methods
import Networks
import Records
import Support
import Training
import Transfer
import WidthSearch

/// Several search methods and controls on one network and data set: each searches directly and on the projection, and
/// every network is trained with the same recipe and the same seeds.
///
/// One search a seed, then one training of what it found with the same seed (algorithms.md 1.8), so that the spread of an
/// arm holds the search's as well. Every part runs in a folder of its own and can be stopped and started again.
public struct MethodComparison {
  /// One method.
  public struct Method {
    /// The method with its settings.
    public var optimizer: any WidthSearching
    /// How it trains during the search.
    public var searchRecipe: Recipe

    /// Describes a method.
    public init(optimizer: any WidthSearching, searchRecipe: Recipe) {
      self.optimizer = optimizer
      self.searchRecipe = searchRecipe
    }

    var isControl: Bool { optimizer.isControl }
  }

  /// Everything but the method: its optimizer and search recipe are replaced by each method's. One budget.
  public var run: TransferRun
  /// The methods and controls.
  public var methods: [Method]
  /// Whether methods search on the target itself, too.
  public var searchesDirectly: Bool
  /// The number of seeds.
  public var seeds: Int

  /// Describes a comparison.
  public init(run: TransferRun, methods: [Method], searchesDirectly: Bool = true, seeds: Int = 1) {
    self.run = run
    self.methods = methods
    self.searchesDirectly = searchesDirectly
    self.seeds = seeds
  }

  /// A method and where it searches.
  private struct Arm {
    var method: Method
    var mode: ComparisonSummary.Mode
    var folder: String { "\(mode.rawValue)/\(method.optimizer.name)" }
  }

  // Controls come first; a projection of nothing is a direct search.
  private var arms: [Arm] {
    let controls = methods.filter(\.isControl).map { Arm(method: $0, mode: .control) }
    let searches = methods.filter { !$0.isControl }
    let projects = run.projection != .identity
    return controls
      + searches.flatMap { method in
        (searchesDirectly || !projects ? [Arm(method: method, mode: .direct)] : [])
          + (projects ? [Arm(method: method, mode: .transferred)] : [])
      }
  }

  private func transferRun(_ arm: Arm, seed: Int) -> TransferRun {
    var result = run
    result.optimizer = arm.method.optimizer
    result.searchRecipe = arm.method.searchRecipe
    result.seed = seed
    if arm.mode != .transferred { result.projection = .identity }
    return result
  }

  private var numbers: [Int] { (0..<seeds).map { run.seed &+ $0 } }

  /// Finds out what cannot work before anything is searched.
  public func validate() throws {
    guard run.budgets.count == 1 else { throw UsageFailure("methods are compared at one budget: give --flops once") }
    for arm in arms { try transferRun(arm, seed: run.seed).validate() }
  }

  /// Searches and trains, and writes `comparison.json`.
  ///
  /// - Parameters:
  ///   - folder: The folder of the comparison.
  ///   - sinks: Makes readers of each part's events.
  ///   - policy: When to save.
  /// - Throws: `UsageFailure` before anything is done when the parts do not fit, `Interrupted` after a signal.
  public func run(
    in folder: RunFolder, sinks: TransferRun.Sinks = { _, _ in [] }, policy: CheckpointPolicy = .init()
  ) throws -> ComparisonSummary {
    try validate()
    // Seed by seed, so that a comparison that is stopped has every arm once before any arm twice.
    var members = arms.map { _ in [ComparisonSummary.Member]() }
    for seed in numbers {
      for (index, arm) in arms.enumerated() {
        members[index].append(try member(arm, seed: seed, in: folder, sinks, policy))
      }
    }
    let summary = try summary(members)
    try JSONFile.write(summary, to: folder.comparison)
    return summary
  }

  private func member(
    _ arm: Arm, seed: Int, in folder: RunFolder, _ sinks: TransferRun.Sinks, _ policy: CheckpointPolicy
  ) throws -> ComparisonSummary.Member {
    let path = "\(arm.folder)/seed-\(seed)"
    let place = RunFolder(path: folder.file(path))
    let label = "\(arm.method.optimizer.name) \(arm.mode.rawValue), seed \(seed)"
    let transfer = transferRun(arm, seed: seed)
    let widths = try transfer.search(
      in: place, sinks: { try sinks("\($0), \(label)", $1) }, policy: policy)[0]
    let network = try run.target.with(Widths(widths.widths))
    let job = TrainingJob(
      network: network, dataset: run.dataset, recipe: run.recipe, dataFraction: run.dataFraction, seed: seed,
      device: run.device, loaderThreads: run.loaderThreads)
    let result = try job.run(in: place, sinks: try sinks(label, place), policy: policy)
    let cost = try network.cost()
    return .init(
      seed: seed, widths: try network.widths.values, macs: cost.macs, parameters: cost.parameters,
      overhead: arm.mode == .control ? nil : widths.overhead, result: result, folder: path)
  }

  private func summary(_ members: [[ComparisonSummary.Member]]) throws -> ComparisonSummary {
    let target = run.target
    let projection = run.projection
    let training = TrainingJob(
      network: target, dataset: run.dataset, recipe: run.recipe, dataFraction: run.dataFraction)
    return ComparisonSummary(
      network: target.name, dataset: run.dataset.name, resolution: target.input.height, images: training.imageCount,
      classes: run.dataset.classNames.count, epochs: run.recipe.epochs, targetMacs: run.budgets[0].macs,
      projection: projection == .identity
        ? nil
        : .init(
          width: projection.width, depth: projection.depth,
          resolution: try run.source().input.height, data: projection.data),
      groups: try target.widthGroups.map { group in
        .init(id: group.id, stage: group.stage.map { target.stages[$0].name }, original: group.width)
      },
      arms: zip(arms, members).map { .init(algorithm: $0.method.optimizer.name, mode: $0.mode, members: $1) })
  }
}
