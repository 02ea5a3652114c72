import Loading
import Methods
import Networks
import Records
import Support
import Torch
import Training

/// One run of network slimming: the state that changes from step to step.
final class NetworkSlimmingSearch: SearchSubject {
  /// Everything is in the weights.
  struct State: Codable {}

  private let settings: NetworkSlimmingSettings
  private let context: SearchContext
  private let loop: SearchLoop<State>
  private let schedule: Schedule
  private let optimizer: ParameterOptimizer
  private let scales: GroupScales
  /// Of what budgets are set on.
  private let counter: AnyWidthCost
  private let macs: AnyWidthCost
  private let dropout: Generator
  private let budget: Int
  let model: Model
  let state = State()

  init(_ settings: NetworkSlimmingSettings, _ context: SearchContext, _ wide: ResolvedNetwork) throws {
    self.settings = settings
    self.context = context
    model = try Model(wide, seed: context.seed, device: context.device)
    if context.recipe.recomputesActivations { model.recomputeActivations() }
    scales = GroupScales(model)
    counter = AnyWidthCost(model.plan.resolved, context.costModel)
    macs = AnyWidthCost(model.plan.resolved)
    optimizer = try ParameterOptimizer(model.parameters, recipe: context.recipe)
    let stepsPerEpoch = context.training.batchesPerEpoch
    loop = try SearchLoop(context, totalSteps: context.recipe.epochs * stepsPerEpoch)
    loop.cost.scale = context.scale(supernetMACs: model.plan.macs)
    schedule = context.recipe.schedule(stepsPerEpoch: stepsPerEpoch)
    dropout = try Generator(seed: 0, device: context.device)
    budget = context.targets.max() ?? 1
    try withoutGradients {
      for scale in scales.scales { try scale.fill(settings.initialScale) }
    }
  }

  func run() throws -> [SearchResult] {
    try loop.resume { _ in tensors }
    try loop.train(self, until: loop.totalSteps) { try self.advance($0) }
    try loop.finish(self)
    let ranking = try ranking()
    return context.targets.map { result($0, ranking) }
  }

  // MARK: - What is saved and shown

  let stage = "sparsity"
  func learningRate(at step: Int) -> Double { schedule.rate(at: step) }
  var standing: SearchStanding {
    get throws {
      let widths = kept(budget, try ranking())
      return SearchStanding(widths: named(widths), macs: Double(macs.count(widths)))
    }
  }
  var tensors: [(name: String, tensor: Tensor)] {
    model.parameters.map { ("model.\($0.name)", $0.tensor) } + optimizer.state
  }

  // MARK: - One step

  private func advance(_ batch: Batch) throws -> Tensor {
    var seeds = SeededGenerator(seed: context.seed, .networkSlimming, at: loop.step)
    try dropout.seed(seeds.next())
    let rate = schedule.rate(at: loop.step)
    let update = loop.update(model, optimizer)
    let loss = try update(
      learningRate: rate, adjusting: { try Self.addSubgradient(of: scales.scales, weight: settings.sparsity) }
    ) {
      let loss = try model.taskLoss(batch, context.recipe, dropout: dropout, cohort: context.cohort)
      try update.backward(loss)
      return loss
    }
    loop.cost.add("sparsity", images: batch.total, macs: model.plan.macs)
    return loss
  }

  /// Adds s · sign(γ) to the gradients of scales.
  static func addSubgradient(of scales: [Tensor], weight: Double) throws {
    guard weight > 0 else { return }
    try withoutGradients {
      for scale in scales { try scale.gradient?.add(inPlace: scale.sign(), times: weight) }
    }
  }

  // MARK: - The result

  private func ranking() throws -> GlobalRanking {
    let minimums = scales.widths.map { width in
      // In the network of the search: the divisor is a matter of the target, and the FLOPs match respects it.
      LeastChannels.kept(of: width, wanted: Int((settings.minimumPart * Double(width)).rounded(.up)))
    }
    return GlobalRanking(scales: try scales.read(), score: settings.score, minimums: minimums)
  }

  private func kept(_ target: Int, _ ranking: GlobalRanking) -> [Int] {
    settings.prunedPart > 0
      ? ranking.widths(pruning: settings.prunedPart) : ranking.widths(budget: target) { counter.count($0) }
  }

  private func named(_ widths: [Int]) -> [WidthGroup.ID: Double] {
    Dictionary(zip(scales.groups, widths.map(Double.init)), uniquingKeysWith: { first, _ in first })
  }

  private func result(_ target: Int, _ ranking: GlobalRanking) -> SearchResult {
    let widths = kept(target, ranking)
    let cost = counter.count(widths)
    var warnings: [String] = []
    if settings.prunedPart == 0, cost > target {
      warnings.append(
        "network-slimming: with every group at its least width the network still costs \(context.costModel.words(cost)), the budget is "
          + "\(target)")
    }
    let all = ranking.scores.flatMap { $0 }
    return SearchResult(
      target: target, channels: named(widths), macs: Double(macs.count(widths)), history: loop.history, cost: loop.cost,
      warnings: warnings,
      evidence: .init(values: [
        "keptChannels": Double(widths.reduce(0, +)), "channels": Double(all.count),
        "meanScore": all.reduce(0, +) / Double(max(1, all.count)),
        "groupsAtMinimum": Double(zip(widths, ranking.minimums).count { $0 == $1 }),
      ]))
  }
}
