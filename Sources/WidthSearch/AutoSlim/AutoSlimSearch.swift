import Loading
import Methods
import Networks
import Records
import Support
import Torch
import Training

/// One run of AutoSlim: training of the supernet, then the descent.
final class AutoSlimSearch: SearchSubject {
  /// What a checkpoint keeps beside the weights.
  struct State: Codable {
    var descent: GreedyDescent
    /// What was found so far, from the largest budget on.
    var found: [SearchResult] = []
  }

  private let settings: AutoSlimSettings
  private let context: SearchContext
  private let loop: SearchLoop<State>
  private let schedule: Schedule
  private let supernet: Supernet
  private let optimizer: ParameterOptimizer
  private let dropout: Generator
  /// Of what budgets are set on.
  private let counter: CostCounter
  private let macs: CostCounter
  /// The widths in reach of each group, rising.
  private let grid: [[Int]]
  private let narrowest: ExecutionPlan
  private let trainingSteps: Int
  private(set) var state: State

  init(_ settings: AutoSlimSettings, _ context: SearchContext, _ network: ResolvedNetwork) throws {
    self.settings = settings
    self.context = context
    supernet = try Supernet(network, seed: context.seed, device: context.device)
    if context.recipe.recomputesActivations { supernet.model.recomputeActivations() }
    counter = CostCounter(supernet.resolved, context.costModel)
    macs = CostCounter(supernet.resolved)
    grid = supernet.resolved.widthGroups.map {
      Self.candidates(
        channels: $0.width, groups: settings.groups, divisor: $0.step(divisor: context.divisor))
    }
    state = State(descent: GreedyDescent(candidates: grid.map(\.count)))
    optimizer = try ParameterOptimizer(
      supernet.model.parameters, recipe: context.recipe, undecayed: Self.depthwiseWeights(of: supernet.resolved))
    let stepsPerEpoch = context.training.batchesPerEpoch
    trainingSteps = context.recipe.epochs * stepsPerEpoch
    loop = try SearchLoop(context, totalSteps: trainingSteps)
    loop.cost.scale = context.scale(supernetMACs: supernet.model.plan.macs)
    schedule = context.recipe.schedule(stepsPerEpoch: stepsPerEpoch)
    dropout = try Generator(seed: 0, device: context.device)
    narrowest = try supernet.plan(Self.named(counter.groups, grid.map { $0.first ?? 1 }))
  }

  /// The widths that a group chooses among: k/G of its channels, rounded to the divisor, equal ones once.
  static func candidates(channels: Int, groups: Int, divisor: Int) -> [Int] {
    // The widest needs no rounding: it is what the supernet has.
    let marks = (1..<max(1, groups) + 1).dropLast().map { step in
      let exact = Double(channels) * Double(step) / Double(groups)
      return LeastChannels.kept(of: channels, wanted: max(divisor, Int((exact / Double(divisor)).rounded()) * divisor))
    }
    return Set(marks).union([channels]).sorted()
  }

  // Not decayed, as in the public code.
  private static func depthwiseWeights(of resolved: ResolvedNetwork) -> Set<String> {
    Set(
      resolved.layers.compactMap { layer in
        guard layer.layer.operation.definition.channels == .filters else {
          return nil
        }
        return "\(layer.layer.name).weight"
      })
  }

  func run() throws -> [SearchResult] {
    try loop.resume { state in
      self.state = state
      return tensors
    }
    try loop.train(self, until: trainingSteps) { try self.advance($0) }
    loop.totalSteps = trainingSteps + grid.reduce(0) { $0 + $1.count - 1 }
    try descend()
    try loop.finish(self)
    return context.targets.compactMap { target in state.found.first { $0.target == target } }
  }

  // MARK: - What is saved and shown

  var model: Model { supernet.model }
  func learningRate(at step: Int) -> Double { schedule.rate(at: step) }
  var stage: String { loop.step <= trainingSteps ? "supernet" : "descent" }
  var standing: SearchStanding {
    SearchStanding(
      widths: Self.named(counter.groups, current).values.mapValues(Double.init), macs: Double(macs.count(current)))
  }
  var tensors: [(name: String, tensor: Tensor)] {
    supernet.model.parameters.map { ("model.\($0.name)", $0.tensor) } + optimizer.state
  }

  private var current: [Int] { widths(at: state.descent.levels) }

  private func widths(at levels: [Int]) -> [Int] { zip(grid, levels).map { $0[$1] } }

  private static func named(_ groups: [WidthGroup.ID], _ widths: [Int]) -> Widths {
    Widths(Dictionary(zip(groups, widths), uniquingKeysWith: { first, _ in first }))
  }

  // MARK: - The supernet

  private func advance(_ batch: Batch) throws -> Tensor {
    var random = SeededGenerator(seed: context.seed, .autoSlim, at: loop.step)
    try dropout.seed(random.next())
    let drawn = try (0..<settings.randomPasses).map { _ in
      try supernet.plan(Self.named(counter.groups, grid.map { $0[random.nextInt(below: $0.count)] }))
    }
    return try loop.sandwichStep(
      supernet, batch, narrowest: narrowest, drawn: drawn, dropout: dropout, optimizer: optimizer,
      learningRate: schedule.rate(at: loop.step))
  }

  // MARK: - The descent

  private func descend() throws {
    guard let heldOut = context.heldOut else {
      throw UsageFailure("autoslim tries widths on held-out images, and has none")
    }
    let trials = try WidthTrials(
      supernet, heldOut, precision: context.recipe.precision, sharesPrefix: settings.sharesPrefix,
      cohort: context.cohort)
    try loop.note(trials.skipped)
    noteBudgets()
    while state.found.count < context.targets.count, !state.descent.movable.isEmpty {
      try loop.advance(self) {
        let groups = state.descent.movable
        let candidates = groups.map { (group: $0, widths: widths(at: state.descent.lowered($0))) }
        let outcome = try trials.scores(of: candidates, from: current) { try loop.checkInterruption(self) }
        state.descent.step(scores: outcome.scores) { counter.count(widths(at: $0)) }
        loop.cost.add("descent", macs: outcome.macs, growth: .descent)
        noteBudgets(step: loop.step + 1)
        let isLast = state.found.count == context.targets.count || state.descent.movable.isEmpty
        return (outcome.loss, outcome.images, isLast)
      }
    }
    // Budgets below the narrowest network.
    for target in context.targets where !state.found.contains(where: { $0.target == target }) {
      state.found.append(result(target, isReached: false))
    }
  }

  /// Keeps the widths for every budget that they meet for the first time.
  private func noteBudgets(step: Int? = nil) {
    for target in context.targets.sorted(by: >) where !state.found.contains(where: { $0.target == target }) {
      if counter.count(current) <= target { state.found.append(result(target, step: step, isReached: true)) }
    }
  }

  private func result(_ target: Int, step: Int? = nil, isReached: Bool) -> SearchResult {
    let standing = standing
    let cost = counter.count(current)
    // The step that is being made is not in the history yet.
    let now =
      step.map { [WidthsFile.HistoryPoint(step: $0, macs: standing.macs, widths: standing.widths)] } ?? []
    return SearchResult(
      target: target, channels: standing.widths, macs: standing.macs, history: loop.history + now, cost: loop.cost,
      warnings: isReached
        ? []
        : [
          "autoslim: with every group at its least width the network still costs \(context.costModel.words(cost)), the budget is "
            + "\(target)"
        ],
      evidence: .init(values: [
        "descentSteps": Double(
          zip(grid, state.descent.levels).reduce(0) { $0 + $1.0.count - 1 - $1.1 }),
        "heldOutImages": Double(context.heldOut?.indices.count ?? 0),
      ]))
  }
}
