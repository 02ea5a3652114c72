import ArgumentParser
import Foundation
import Networks
import Support
import Training
import WidthSearch
import WidthTransfer

/// How to search and how to carry the result over.
struct TransferOptions: ParsableArguments {
  @Option(help: "dmcp or uniform.")
  var algorithm: String = "dmcp"

  @Option(
    help: "How network and data are shrunk for the search, for example width=0.5,depth=0.5,resolution=14,data=20%.")
  var project: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("The budget: relative to the network (1.0x, the default) or in MACs (300M).", valueName: "flops")
  )
  var flops: [String] = []

  @Option(help: "How blocks of the small network stand for those of the whole one.")
  var stacking: Stacking = .averageBlock

  @Option(parsing: .unconditional, help: "Epochs of the search (default: 0.4 of the training's).")
  var searchEpochs: Int?

  @Option(parsing: .unconditional, help: "Learning rate of the search's weights (default: the recipe's).")
  var searchLearningRate: Double?

  func build(
    network: NetworkOptions, data: DataOptions, recipe: RecipeOptions, compute: ComputeOptions,
    _ general: GeneralOptions
  ) throws -> TransferRun {
    try require(searchEpochs, "--search-epochs", in: 1...1_000_000)
    let budget = try budget()
    let recipe = try recipe.build()
    let optimizer = try Algorithm.named(algorithm)
    let projection = try projection()
    let fraction = try data.fraction
    let dataset = try data.open(general)
    let target = try network.request.build(
      classes: dataset.classNames.count, inputChannels: dataset.channels, resolution: dataset.resolution)
    var search = recipe
    search.name += ", search"
    search.epochs = searchEpochs ?? max(1, Int((0.4 * Double(recipe.epochs)).rounded()))
    if let searchLearningRate { search.learningRate = searchLearningRate }
    // The official search ends at 0.16 of its peak rate: the weights must still follow the widths (algorithms.md 5.5).
    search.finalLearningRate = 0.16 * search.learningRate
    search.averagingDecay = nil
    try search.validate()
    return TransferRun(
      target: target, dataset: dataset, dataFraction: fraction, projection: projection, optimizer: optimizer,
      targetMACs: try Budget.macs(budget, of: target), stacking: stacking, divisor: network.divisor,
      searchRecipe: search, recipe: recipe, seed: compute.seed, device: try compute.prepare(general),
      loaderThreads: compute.loaderThreads)
  }

  private func projection() throws -> Projection {
    guard let project else { return Projection() }
    guard project != "auto" else {
      throw UsageFailure(
        "--project auto is not part of this version: name a projection such as width=0.5,data=20%; "
          + "`width-transfer overhead` shows what several of them would cost")
    }
    return try Projection(parsing: project)
  }

  private func budget() throws -> String {
    guard flops.count <= 1 else {
      throw UsageFailure(
        "--flops is given \(flops.count) times; this version searches for one budget at a time: "
          + "give the command once for each, with an --output of its own")
    }
    return flops.first ?? "1.0x"
  }

  /// The flags in their resolved form.
  func resolved(_ run: TransferRun, more: [String: String?] = [:]) throws -> [String: String?] {
    var values: [String: String?] = [
      "algorithm": algorithm, "project": project, "flops": try budget(), "stacking": stacking.rawValue,
      "search-epochs": "\(run.searchRecipe.epochs)", "search-learning-rate": "\(run.searchRecipe.learningRate)",
    ]
    values.merge(more) { _, new in new }
    return values
  }
}

/// The search methods by name.
enum Algorithm {
  static let names = ["dmcp", "uniform"]

  static func named(_ name: String) throws -> any WidthOptimizer {
    switch name {
    case "dmcp": DMCP()
    case "uniform": UniformWidths()
    default: throw UsageFailure("--algorithm \(name): known are \(names.joined(separator: ", "))")
    }
  }
}

extension Stacking: ExpressibleByArgument {}
