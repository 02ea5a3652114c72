import Commands
import Experiments
import ImageFiles
import Methods
import Networks
import Records
import Support
import Training
import Transfer
import WidthSearch

extension TransferOptions {
  /// What all parts of a plan share.
  func subject(
    network: NetworkOptions, data: DataOptions, recipe: RecipeOptions, compute: ComputeOptions,
    _ general: GeneralOptions, jobs: JobsOptions? = nil, tracks: [Tracking] = []
  ) throws -> Subject {
    try require(searchEpochs, "--search-epochs", in: 1...1_000_000)
    let recipe = try recipe.build()
    // Told before a data set of gigabytes is opened.
    if try automaticSeconds() == nil { _ = try projections() }
    let fraction = try data.fraction
    let dataset = try data.open(general)
    let target = try network.build(for: dataset, general)
    return try Subject(
      target: target, fixed: target.groups(matching: fixing.fix), dataset: dataset, dataFraction: fraction,
      recipe: recipe, divisor: network.divisor,
      device: try compute.prepare(general, jobs), loaderThreads: compute.loaderThreads, tracks: Set(tracks))
  }

  /// The way to widths by one method.
  func finding(
    _ optimizer: any WidthSearching, _ subject: Subject, _ projection: Projection, _ stacking: Stacking, seed: Int
  ) throws -> WidthFinding {
    var finding = WidthFinding(
      subject: subject, optimizer: optimizer, searchRecipe: try searchRecipe(for: optimizer, subject.recipe),
      projection: projection, stacking: stacking, budgets: try budgets(of: subject.target),
      seed: seed)
    finding.timing = try timing.table(for: subject.target)
    return finding
  }

  /// The way to widths with the projection that `--project auto` chooses, or has chosen.
  func fitted(
    _ finding: WidthFinding, in folder: RunFolder, _ general: GeneralOptions, _ cohort: Cohort = .single
  ) throws -> WidthFinding {
    guard let seconds = try automaticSeconds() else { return finding }
    // One of them measures and chooses, as alone; how many there are does not change what fits.
    let choice = try cohort.fromWriter { () -> ProjectionChoice? in
      _ = try chosen(finding, seconds, in: folder, general)
      return try ProjectionChoice.read(folder)
    }
    try choice?.write(folder)
    return try chosen(finding, seconds, in: folder, general)
  }

  private func chosen(
    _ finding: WidthFinding, _ seconds: Double, in folder: RunFolder, _ general: GeneralOptions
  ) throws -> WidthFinding {
    return try finding.fitting(
      seconds, in: folder,
      willMeasure: {
        general.note("timing a few search steps, to choose a projection for \(Format.duration(seconds))")
      }
    ) { choice in
      let measured = choice.rungs.count(where: \.isMeasured)
      general.note(
        "project \(choice.projection): the search is predicted to take \(Format.duration(choice.predictedSeconds)) "
          + "(\(measured) of \(choice.rungs.count) projections timed, in \(Format.duration(choice.measuringSeconds)))")
    }
  }

  /// The flags in their resolved form.
  func resolved(_ finding: WidthFinding, more: [String: String?] = [:]) throws -> [String: String?] {
    var values: [String: String?] = [
      "algorithm": finding.optimizer.name,
      "budget": budget, "stop-when-settled": stopWhenSettled ? "true" : nil,
      "latency-table": timing.latencyTable.map(Resolved.path),
      "search-epochs": "\(finding.searchRecipe.epochs)",
      "search-learning-rate": "\(finding.searchRecipe.learningRate)",
    ]
    values.merge(more) { _, new in new }
    return values
  }
}
