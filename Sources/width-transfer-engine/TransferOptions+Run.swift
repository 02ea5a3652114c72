import Commands
import Experiments
import ImageFiles
import Methods
import Networks
import Transfer
import WidthSearch

extension TransferOptions {
  func build(
    _ optimizer: any WidthSearching, network: NetworkOptions, data: DataOptions, recipe: RecipeOptions,
    compute: ComputeOptions, _ general: GeneralOptions
  ) throws -> TransferRun {
    try require(searchEpochs, "--search-epochs", in: 1...1_000_000)
    let recipe = try recipe.build()
    let projection = try projection()
    let fraction = try data.fraction
    let dataset = try data.open(general)
    let target = try network.request.build(
      classes: dataset.classNames.count, inputChannels: dataset.channels, resolution: dataset.resolution)
    return TransferRun(
      target: target, dataset: dataset, dataFraction: fraction, projection: projection, optimizer: optimizer,
      budgets: try Budget.parse(budgets, of: target), stacking: stacking, divisor: network.divisor,
      searchRecipe: try searchRecipe(for: optimizer, recipe), recipe: recipe, seed: compute.seed,
      device: try compute.prepare(general), loaderThreads: compute.loaderThreads)
  }

  /// The flags in their resolved form.
  func resolved(_ run: TransferRun, more: [String: String?] = [:]) throws -> [String: String?] {
    var values: [String: String?] = [
      "algorithm": run.optimizer.name, "project": project, "stacking": stacking.rawValue,
      "search-epochs": "\(run.searchRecipe.epochs)", "search-learning-rate": "\(run.searchRecipe.learningRate)",
    ]
    values.merge(more) { _, new in new }
    return values
  }
}
