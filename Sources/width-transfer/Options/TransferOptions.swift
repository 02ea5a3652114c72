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

  @Option(help: "How network and data are shrunk for the search, for example width=0.5,depth=0.5,resolution=14,data=20%.")
  var project: String?

  @Option(help: "The budget: relative to the network (1.0x) or in MACs (300M).")
  var flops: String = "1.0x"

  @Option(help: "average-block or last-block.")
  var stacking: Stacking = .averageBlock

  @Option(help: "Epochs of the search (default: 0.4 of the training's).")
  var searchEpochs: Int?

  @Option(help: "Learning rate of the search's weights (default: the recipe's).")
  var searchLearningRate: Double?

  func build(
    network: NetworkOptions, data: DataOptions, recipe: RecipeOptions, compute: ComputeOptions
  ) throws -> TransferRun {
    let recipe = try recipe.build()
    let optimizer = try Algorithm.named(algorithm)
    let projection = try project.map { try Projection(parsing: $0) } ?? Projection()
    let fraction = try data.fraction
    let dataset = try data.open()
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
      targetMACs: try Budget.macs(flops, of: target), stacking: stacking, divisor: network.divisor,
      searchRecipe: search, recipe: recipe, seed: compute.seed, device: try compute.prepare(),
      loaderThreads: compute.loaderThreads)
  }

  /// The flags in their resolved form.
  func resolved(_ run: TransferRun, more: [String: String?] = [:]) -> [String: String?] {
    var values: [String: String?] = [
      "algorithm": algorithm, "project": project, "flops": flops, "stacking": stacking.rawValue,
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
