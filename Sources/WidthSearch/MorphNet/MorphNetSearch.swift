import Datasets
import Networks
import Runs
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
  }

  /// What a round trains: a network of its own.
  private struct Round {
    var model: Model
    var optimizer: ParameterOptimizer
    var scales: GroupScales
    var regularizer: FLOPsRegularizer
    /// λ = κ / cost of the whole network.
    var lambda: Double
    var value: FLOPsRegularizer.Value
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
    loop.cost.scale = try context.scale(supernetMACs: context.network.cost().macs)
    schedule = context.recipe.schedule(stepsPerEpoch: stepsPerEpoch)
    dropout = try Generator(seed: 0, device: context.device)
    budget = context.targets.max() ?? 1
    state = State(widths: try context.network.widths)
    round = try Self.begin(state.widths, settings, context)
  }

  private static func begin(
    _ widths: Widths, _ settings: MorphNetSettings, _ context: SearchContext
  ) throws -> Round {
    let model = try Model(context.network.with(widths), seed: context.seed, device: context.device)
    let polynomial = try MACPolynomial(model.plan.resolved)
    let regularizer = FLOPsRegularizer(
      polynomial, threshold: settings.threshold, grouping: settings.grouping,
      depthwiseFactor: settings.depthwiseFactor)
    let scales = GroupScales(model)
    let whole = FLOPsRegularizer.operations * polynomial.evaluate(scales.widths.map(Double.init))
    return Round(
      model: model, optimizer: try ParameterOptimizer(model.parameters, recipe: context.recipe), scales: scales,
      regularizer: regularizer, lambda: settings.kappa / whole, value: regularizer.evaluate(try scales.read()))
  }

  func run() throws -> [SearchResult] {
    try loop.resume { state in
      self.state = state
      round = try Self.begin(state.widths, settings, context)
      return tensors
    }
    // Weights may come from a checkpoint.
    round.value = round.regularizer.evaluate(try round.scales.read())
    let steps = schedule.totalSteps
    while true {
      if !state.isShrunk {
        try loop.train(self, until: state.roundStart + steps, { try advance($0) }, atEndOfEpoch: { try endEpoch() })
      }
      guard state.round + 1 < settings.rounds else { break }
      state.widths = try expanded(to: budget).widths
      state = State(round: state.round + 1, roundStart: loop.step, widths: state.widths)
      round = try Self.begin(state.widths, settings, context)
      // At once: the widths of the round are not in the weights of the one before.
      try loop.save(self)
    }
    try loop.save(self)
    return try context.targets.map { try result($0) }
  }

  // MARK: - What is saved and shown

  var model: Model { round.model }
  var stage: String { settings.rounds == 1 ? "shrink" : "shrink, round \(state.round + 1)" }
  var widths: [WidthGroup.ID: Double] {
    Dictionary(zip(round.scales.groups, survivors.map(Double.init)), uniquingKeysWith: { first, _ in first })
  }
  var macs: Double { round.regularizer.polynomial.evaluate(survivors.map(Double.init)) }
  var tensors: [(name: String, tensor: Tensor)] {
    round.model.parameters.map { ("model.\($0.name)", $0.tensor) } + round.optimizer.state
  }

  /// Channels that are kept in each group: the living ones, and never fewer than the minimum.
  private var survivors: [Int] {
    zip(round.value.aliveCounts, round.scales.widths).map { alive, width in
      max(alive, min(width, max(settings.minimumChannels, context.divisor)))
    }
  }

  // MARK: - One step

  private func advance(_ batch: Batch) throws -> Double {
    var seeds = SeededGenerator(seed: UInt64(bitPattern: Int64(context.seed)), 0x3099, UInt64(loop.step))
    try dropout.seed(seeds.next())
    let rate = schedule.rate(at: loop.step - state.roundStart)
    try Tensor.clearGradients(round.model.tensors)
    let loss = try round.model.taskLoss(batch, context.recipe, dropout: dropout)
    try loss.backward()
    let value = try loss.item()
    try loop.requireFinite(value, learningRate: rate)
    if settings.update == .subgradient { try addSubgradient() }
    try round.optimizer.step(learningRate: rate)
    if settings.update == .proximal { try softThreshold(rate) }
    round.value = round.regularizer.evaluate(try round.scales.read())
    loop.cost.add("shrink", images: batch.count, macs: round.model.plan.macs)
    return value
  }

  private func addSubgradient() throws {
    let scales = try round.scales.read()
    let directions = round.regularizer.magnitudeGradient(scales)
    let slopes = round.regularizer.evaluate(scales).slopes
    let gradients = zip(directions, slopes).map { members, slope in
      members.map { $0.map { round.lambda * slope * $0 } }
    }
    let added = try round.scales.tensors(gradients, rest: 0, device: context.device)
    try withoutGradients {
      for (scale, addition) in zip(round.scales.scales, added) { try scale.gradient?.add(inPlace: addition) }
    }
  }

  // r ← max(r − t, 0), which on the largest of tied scales is a step of size t towards 0.
  private func softThreshold(_ rate: Double) throws {
    let scales = try round.scales.read()
    let directions = round.regularizer.magnitudeGradient(scales)
    let slopes = round.regularizer.evaluate(scales).slopes
    let momentum = context.recipe.optimizer == .sgd ? context.recipe.momentum : 0
    let factors = zip(zip(scales, directions), slopes).map { group, slope in
      let step = rate / (1 - momentum) * round.lambda * slope
      return zip(group.0, group.1).map { values, directions in
        zip(values, directions).map { value, direction in
          value == 0 ? 0 : max(0, 1 - step * abs(direction) / abs(value))
        }
      }
    }
    let multipliers = try round.scales.tensors(factors, rest: 1, device: context.device)
    try withoutGradients {
      for (scale, factor) in zip(round.scales.scales, multipliers) { try scale.multiply(inPlace: factor) }
    }
  }

  /// Silences dead channels for good, as far as the task lets them be, and says whether the round has shrunk enough.
  private func endEpoch() throws -> Bool {
    let alive = round.value.alive
    let masks = zip(alive, round.scales.members).map { alive, members in
      members.map { _ in alive.map { $0 ? 1.0 : 0.0 } }
    }
    let tensors = try round.scales.tensors(masks, rest: 1, device: context.device)
    try withoutGradients {
      for (parameters, mask) in zip(zip(round.scales.scales, round.scales.shifts), tensors) {
        try parameters.0.multiply(inPlace: mask)
        try parameters.1.multiply(inPlace: mask)
      }
    }
    round.value = round.regularizer.evaluate(try round.scales.read())
    let isEnough = macs <= settings.shrinkTo * Double(budget)
    state.isShrunk = isEnough || loop.step == state.roundStart + schedule.totalSteps
    return isEnough
  }

  // MARK: - Expansion

  private var multipliers: [WidthGroup.ID: Double] {
    get throws {
      let original = try context.network.widths
      return Dictionary(
        zip(round.scales.groups, survivors).map { ($0, Double($1) / Double(original[$0] ?? 1)) },
        uniquingKeysWith: { first, _ in first })
    }
  }

  private func expanded(to macs: Int) throws -> WidthMatch {
    try context.network.matching(macs: macs, multipliers: multipliers, divisor: context.divisor)
  }

  private func result(_ target: Int) throws -> SearchResult {
    let kept = survivors.map(Double.init)
    let polynomial = round.regularizer.polynomial
    let omega = polynomial.scale(matching: Double(target), widths: kept) ?? 1
    let channels = Dictionary(
      zip(round.scales.groups, kept.map { omega * $0 }), uniquingKeysWith: { first, _ in first })
    var warnings: [String] = []
    let whole = round.scales.widths.map(Double.init)
    if polynomial.evaluate(kept) > 0.95 * polynomial.evaluate(whole) {
      warnings.append(
        "morphnet: hardly any channel died, so that the widths say little; a larger --search-option kappa "
          + "(now \(settings.kappa)) or more --search-epochs would help")
    }
    let atMinimum = zip(round.value.aliveCounts, survivors).count { $0 < $1 }
    if 2 * atMinimum > survivors.count {
      warnings.append(
        "morphnet: \(atMinimum) of \(survivors.count) width groups died and were kept at their least width; a smaller "
          + "--search-option kappa (now \(settings.kappa)) would tell them apart")
    }
    return SearchResult(
      targetMACs: target, channels: channels, macs: polynomial.evaluate(kept.map { omega * $0 }), history: loop.history,
      cost: loop.cost, warnings: warnings,
      evidence: .init(values: [
        "kappa": settings.kappa, "lambda": round.lambda, "growth": omega,
        "costAfterShrinkOverBudget": polynomial.evaluate(kept) / Double(target), "rounds": Double(state.round + 1),
      ]))
  }
}
