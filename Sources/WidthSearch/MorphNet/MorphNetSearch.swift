import Loading
import Methods
import Networks
import Records
import Support
import Torch
import Training

/// One run of MorphNet: the state that changes from step to step.
final class MorphNetSearch: SearchSubject {
  /// What a checkpoint keeps beside the weights.
  struct State: Codable {
    /// The round, from 0.
    var round = 0
    /// The step at which the round began.
    var roundStart = 0
    /// Whether the round has shrunk enough.
    var isShrunk = false
    /// The widths that the round began with.
    var widths: Widths
    /// What was found so far, from the largest budget on.
    var found: [SearchResult] = []
  }

  /// What a round trains: a network of its own.
  private struct Round {
    var model: Model
    var optimizer: ParameterOptimizer
    var scales: GroupScales
    var regularizer: FLOPsRegularizer
    var macs: RelaxedCost
    /// λ = κ / cost of the whole network.
    var lambda: Double
    var shrinkage: ScaleShrinkage
    /// Of the scales as they are, since it was last asked for: steps read nothing.
    private var known: FLOPsRegularizer.Value?

    init(
      model: Model, optimizer: ParameterOptimizer, scales: GroupScales, regularizer: FLOPsRegularizer,
      macs: RelaxedCost, lambda: Double, shrinkage: ScaleShrinkage
    ) {
      (self.model, self.optimizer, self.scales, self.regularizer) = (model, optimizer, scales, regularizer)
      (self.macs, self.lambda, self.shrinkage) = (macs, lambda, shrinkage)
    }

    /// The regularizer at the scales as they are.
    mutating func value() throws -> FLOPsRegularizer.Value {
      let value = try known ?? regularizer.evaluate(scales.read())
      known = value
      return value
    }

    /// Notes that the scales have changed.
    mutating func touch() { known = nil }

    /// The fewest channels of each group, in the network of the search: the divisor is a matter of the target, and the match
    /// respects it.
    static func floors(_ scales: GroupScales, _ settings: MorphNetSettings) -> [Int] {
      scales.widths.map { LeastChannels.kept(of: $0, wanted: settings.minimumChannels) }
    }
  }

  private let settings: MorphNetSettings
  private let context: SearchContext
  private let loop: SearchLoop<State>
  private let schedule: Schedule
  private let dropout: Generator
  private let budget: Int
  private var round: Round
  private(set) var state: State

  init(_ settings: MorphNetSettings, _ context: SearchContext) throws {
    self.settings = settings
    self.context = context
    let stepsPerEpoch = context.training.batchesPerEpoch
    loop = try SearchLoop(context, totalSteps: settings.rounds * context.recipe.epochs * stepsPerEpoch)
    loop.cost.scale = context.scale(supernetMACs: context.network.cost.macs)
    schedule = context.recipe.schedule(stepsPerEpoch: stepsPerEpoch)
    dropout = try Generator(seed: 0, device: context.device)
    budget = context.targets.max() ?? 1
    state = State(widths: context.network.widths)
    round = try Self.begin(state.widths, settings, context)
  }

  private static func begin(
    _ widths: Widths, _ settings: MorphNetSettings, _ context: SearchContext
  ) throws -> Round {
    let model = try Model(context.network.with(widths), seed: context.seed, device: context.device)
    if context.recipe.recomputesActivations { model.recomputeActivations() }
    let polynomial = RelaxedCost(model.plan.resolved, context.costModel)
    let regularizer = FLOPsRegularizer(
      polynomial, threshold: settings.threshold, grouping: settings.grouping,
      depthwiseFactor: settings.depthwiseFactor)
    let scales = GroupScales(model)
    let whole = FLOPsRegularizer.operations * polynomial.evaluate(scales.widths.map(Double.init))
    return Round(
      model: model, optimizer: try ParameterOptimizer(model.parameters, recipe: context.recipe), scales: scales,
      regularizer: regularizer, macs: RelaxedCost(model.plan.resolved), lambda: settings.kappa / whole,
      shrinkage: try ScaleShrinkage(
        regularizer, scales, floors: Round.floors(scales, settings), device: context.device))
  }

  func run() throws -> [SearchResult] {
    try loop.resume { state in
      self.state = state
      round = try Self.begin(state.widths, settings, context)
      return tensors
    }
    let steps = schedule.totalSteps
    while true {
      if !state.isShrunk {
        try loop.train(
          self, until: state.roundStart + steps, { try self.advance($0) }, atEndOfEpoch: { try self.endEpoch() })
      }
      guard state.round + 1 < settings.rounds else { break }
      state.widths = try expanded(to: budget).widths
      state = State(round: state.round + 1, roundStart: loop.step, widths: state.widths)
      round = try Self.begin(state.widths, settings, context)
      try context.cohort.takeWriters(tensors.map(\.tensor))
      // At once: the widths of the round are not in the weights of the one before.
      try loop.save(self)
    }
    try loop.finish(self)
    return context.targets.compactMap { target in state.found.first { $0.target == target } }
  }

  // MARK: - What is saved and shown

  var model: Model { round.model }
  func learningRate(at step: Int) -> Double { schedule.rate(at: step - state.roundStart) }
  var stage: String { settings.rounds == 1 ? "shrink" : "shrink, round \(state.round + 1)" }
  var standing: SearchStanding {
    get throws {
      let kept = try survivors.map(Double.init)
      return SearchStanding(
        widths: Dictionary(zip(round.scales.groups, kept), uniquingKeysWith: { first, _ in first }),
        macs: round.macs.evaluate(kept))
    }
  }
  var tensors: [(name: String, tensor: Tensor)] {
    round.model.parameters.map { ("model.\($0.name)", $0.tensor) } + round.optimizer.state
  }

  /// Channels that are kept in each group: the living ones, and never fewer than the minimum.
  private var survivors: [Int] {
    get throws { zip(try round.value().aliveCounts, floors).map { max($0, $1) } }
  }

  private var floors: [Int] { Round.floors(round.scales, settings) }

  // MARK: - One step

  private func advance(_ batch: Batch) throws -> Tensor {
    var seeds = SeededGenerator(seed: context.seed, .morphNet, at: loop.step)
    try dropout.seed(seeds.next())
    let rate = schedule.rate(at: loop.step - state.roundStart)
    let update = loop.update(round.model, round.optimizer)
    let loss = try update(
      learningRate: rate,
      adjusting: { if settings.update == .subgradient { try round.shrinkage.addGradient(round.lambda) } }
    ) {
      let loss = try round.model.taskLoss(batch, context.recipe, dropout: dropout, cohort: context.cohort)
      try update.backward(loss)
      return loss
    }
    if settings.update == .proximal {
      let momentum = context.recipe.optimizer == .sgd ? context.recipe.momentum : 0
      try round.shrinkage.softThreshold(rate / (1 - momentum) * round.lambda)
    }
    round.touch()
    loop.cost.add("shrink", images: batch.total, macs: round.model.plan.macs)
    return loss
  }

  /// Silences dead channels for good, as far as the task lets them be; keeps what is found for budgets that the round has
  /// shrunk enough for, and says whether it has for all.
  private func endEpoch() throws -> Bool {
    let value = try round.value()
    let masks = zip(zip(value.alive, value.largest(floors)), round.scales.members).map { entry, members in
      members.map { _ in entry.0.indices.map { entry.0[$0] || entry.1.contains($0) ? 1.0 : 0.0 } }
    }
    let tensors = try round.scales.tensors(masks, rest: 1, device: context.device)
    try withoutGradients {
      for (parameters, mask) in zip(zip(round.scales.scales, round.scales.shifts), tensors) {
        try parameters.0.multiply(inPlace: mask)
        try parameters.1.multiply(inPlace: mask)
      }
    }
    round.touch()
    let isOver = loop.step == state.roundStart + schedule.totalSteps
    let cost = round.regularizer.polynomial.evaluate(try survivors.map(Double.init))
    // Budgets above the network's own cost are reached by widening; the shrinking is the same as for its own.
    let whole = Double(context.costModel.count(context.network))
    func isShrunk(for target: Int) -> Bool { cost <= settings.shrinkTo * min(Double(target), whole) }
    guard state.round + 1 == settings.rounds else {
      // The rounds before the last lead to the largest budget.
      state.isShrunk = isOver || isShrunk(for: budget)
      return state.isShrunk
    }
    for target in context.targets.sorted(by: >) where !state.found.contains(where: { $0.target == target }) {
      if isOver || isShrunk(for: target) { state.found.append(try result(target)) }
    }
    state.isShrunk = state.found.count == context.targets.count
    return state.isShrunk
  }

  // MARK: - Expansion

  private func expanded(to target: Int) throws -> WidthMatch {
    let original = context.network.widths
    let multipliers = PerGroup(
      groups: round.scales.groups,
      values: zip(round.scales.groups, try survivors).map { Double($1) / Double(original[$0] ?? 1) })
    return try context.network.matching(
      target, in: context.costModel, multipliers: multipliers, divisor: context.divisor)
  }

  private func result(_ target: Int) throws -> SearchResult {
    let survivors = try survivors
    let kept = survivors.map(Double.init)
    let polynomial = round.regularizer.polynomial
    let omega = polynomial.scale(matching: Double(target), widths: kept) ?? 1
    let channels = Dictionary(
      zip(round.scales.groups, kept.map { omega * $0 }), uniquingKeysWith: { first, _ in first })
    var warnings: [String] = []
    let whole = round.scales.widths.map(Double.init)
    if polynomial.evaluate(kept) > 0.95 * polynomial.evaluate(whole) {
      warnings.append(
        "morphnet: hardly any channel died, so that the widths say little; a larger `search-option` kappa "
          + "(now \(settings.kappa)) or more `search-epochs` would help")
    }
    // What is kept alive is at its least, whether it would have died or lies just above.
    let atMinimum = zip(zip(survivors, floors), round.scales.widths).count { $0.0 <= $0.1 && $0.1 < $1 }
    if 2 * atMinimum > survivors.count {
      warnings.append(
        "morphnet: \(atMinimum) of \(survivors.count) width groups died and were kept at their least width; a smaller "
          + "`search-option` kappa (now \(settings.kappa)) would tell them apart")
    }
    // The step that ends the epoch is not in the history yet.
    let standing = try standing
    let now = WidthsFile.HistoryPoint(step: loop.step, macs: standing.macs, widths: standing.widths)
    return SearchResult(
      target: target, channels: channels, macs: round.macs.evaluate(kept.map { omega * $0 }),
      history: loop.history + [now], cost: loop.cost, warnings: warnings,
      evidence: .init(values: [
        "kappa": settings.kappa, "lambda": round.lambda, "growth": omega,
        "costAfterShrinkOverBudget": polynomial.evaluate(kept) / Double(target), "rounds": Double(state.round + 1),
      ]))
  }
}
