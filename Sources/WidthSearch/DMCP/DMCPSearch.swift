import Foundation
import Loading
import Methods
import Networks
import Records
import Support
import Torch
import Training

/// One run of DMCP: the state that changes from step to step.
final class DMCPSearch: SearchSubject {
  /// What a checkpoint keeps beside the weights. α is small and lives on the host in double precision.
  struct State: Codable {
    var alphas: [[Double]]
    var velocities: [[Double]]
  }

  private let settings: DMCPSettings
  private let context: SearchContext
  private let supernet: Supernet
  private let optimizer: ParameterOptimizer
  private let schedule: Schedule
  private let alphaSchedule: Schedule
  private let narrowest: ExecutionPlan
  private let dropout: Generator
  private let warmUpSteps: Int
  private let loop: SearchLoop<State>
  private let target: Int
  private var chains: MarkovNetwork
  private(set) var state: State

  init(_ settings: DMCPSettings, _ context: SearchContext, target: Int, _ network: ResolvedNetwork) throws {
    self.settings = settings
    self.context = context
    self.target = target
    supernet = try Supernet(network, seed: context.seed, device: context.device)
    if context.recipe.recomputesActivations { supernet.model.recomputeActivations() }
    chains = MarkovNetwork(
      supernet.resolved, settings: settings, target: Double(target), from: context.network.widths,
      in: context.costModel)
    state = State(alphas: chains.alphas, velocities: chains.alphas.map { $0.map { _ in 0 } })
    optimizer = try ParameterOptimizer(supernet.model.parameters, recipe: context.recipe)
    let stepsPerEpoch = context.training.batchesPerEpoch
    let totalSteps = context.recipe.epochs * stepsPerEpoch
    loop = try SearchLoop(context, totalSteps: totalSteps)
    loop.cost.scale = context.scale(supernetMACs: supernet.model.plan.macs)
    warmUpSteps = min(totalSteps, Int((Double(totalSteps) * settings.warmUpFraction).rounded()))
    schedule = context.recipe.schedule(stepsPerEpoch: stepsPerEpoch)
    let peak = settings.alphaLearningRate ?? Self.alphaLearningRate(steps: totalSteps - warmUpSteps)
    alphaSchedule = Schedule(
      peak: peak, initial: peak, final: peak / 5, shape: .cosine, warmUpSteps: warmUpSteps, totalSteps: totalSteps)
    narrowest = try supernet.plan(chains.narrowest)
    dropout = try Generator(seed: 0, device: context.device)
  }

  /// The official 0.5 for 500 steps and more; up to 2 for fewer, which have to go as far.
  static func alphaLearningRate(steps: Int) -> Double { 0.5 * min(4, max(1, 500 / Double(max(steps, 1)))) }

  func run() throws -> SearchResult {
    try loop.resume { state in
      self.state = state
      chains.alphas = state.alphas
      return tensors
    }
    try trainUntilSettled()
    try loop.finish(self)
    chains.window = 1
    return try result()
  }

  /// Looks twenty times a search whether the widths have settled, where that is asked for.
  private func trainUntilSettled() throws {
    let total = loop.totalSteps
    let ends = settings.settledDrift == nil ? [] : (1..<20).map { total * $0 / 20 }.filter { $0 > warmUpSteps }
    for end in ends {
      try loop.train(self, until: end) { try self.advance($0) }
      // A search that goes on beyond it has looked at it before.
      if loop.step == end, isSettled() { return }
    }
    try loop.train(self, until: total) { try self.advance($0) }
  }

  private func isSettled() -> Bool {
    // That of the last step, also where a checkpoint is taken up exactly here.
    chains.window = window(at: loop.step - 1)
    guard let drift = settings.settledDrift, isNearBudget else { return false }
    return SettledWidths(drift: drift, totalSteps: loop.totalSteps, start: warmUpSteps).isSettled(loop.history)
  }

  private var isNearBudget: Bool { abs(chains.expectedCost / Double(target) - 1) < DMCPConvergence.band }

  // MARK: - What is saved and shown

  var model: Model { supernet.model }
  func learningRate(at step: Int) -> Double { schedule.rate(at: step) }
  var stage: String { loop.step <= warmUpSteps ? "warm-up" : "architecture" }
  var standing: SearchStanding {
    SearchStanding(widths: chains.expectations, macs: chains.expectedMACs, undecided: chains.spread)
  }
  var tensors: [(name: String, tensor: Tensor)] {
    supernet.model.parameters.map { ("model.\($0.name)", $0.tensor) } + optimizer.state
  }

  // MARK: - One step

  private func advance(_ batch: Batch) throws -> Tensor {
    chains.window = window(at: loop.step)
    var random = SeededGenerator(seed: context.seed, .dmcp, at: loop.step)
    try dropout.seed(random.next())
    let drawn = try (0..<settings.randomPasses).map { _ in try supernet.plan(draw(&random)) }
    let loss = try loop.sandwichStep(
      supernet, batch, narrowest: narrowest, drawn: drawn, dropout: dropout, optimizer: optimizer,
      learningRate: schedule.rate(at: loop.step))
    if loop.step >= warmUpSteps { try architectureStep(batch) }
    return loss
  }

  /// How much of the second stage is over, from 0 to 1.
  private var progress: Double { progress(at: loop.step) }

  private func progress(at step: Int) -> Double {
    max(0, Double(step - warmUpSteps) / Double(max(loop.totalSteps - warmUpSteps, 1)))
  }

  private func window(at step: Int) -> Double { settings.rampWindow + (1 - settings.rampWindow) * progress(at: step) }

  /// "Scheduled random": a uniform draw with a probability that falls over the second stage, else a walk along the chains.
  private func draw(_ random: inout SeededGenerator) -> Widths {
    guard loop.step >= warmUpSteps else { return chains.uniformDraw(&random) }
    let uniform = pow(settings.finalUniformProbability, progress)
    return random.nextUnit() < uniform ? chains.uniformDraw(&random) : chains.directDraw(&random)
  }

  private func architectureStep(_ batch: Batch) throws {
    let device = context.device
    let factors = try chains.chains.map { chain in
      let tensor = try Tensor(chain.channelFactors, device: device)
      try tensor.setRequiresGradient(true)
      return tensor
    }
    // A chain counts channels in the order in which they go, the last ones first: beside a convolution in groups, one of each group
    // after the other.
    let scales = try zip(factors, chains.granularities).map { factors, granularity in
      granularity == 1
        ? factors : try factors.reshaped([factors.shape[0] / granularity, granularity]).permuted([1, 0]).flattened()
    }
    let options = context.cohort.options(
      ForwardOptions(
        .batch, channelScales: Dictionary(zip(chains.groups, scales), uniquingKeysWith: { first, _ in first }),
        scalePlacement: settings.residual.placement, dropout: dropout,
        reusesBuffers: context.recipe.precision == .float32), for: batch)
    let logits = try withAutocast(context.recipe.precision.scalarType, on: device) {
      try supernet.model.forward(batch.images, options)
    }.to(.float32)
    let loss = try context.cohort.weighted(
      batch.crossEntropy(logits, labelSmoothing: context.recipe.labelSmoothing), batchSize: context.training.batchSize)
    // Only the factors are asked for, so LibTorch leaves the weight gradients out.
    let gradients = try context.cohort.speaking { try loss.gradients(of: factors) }
    let zeros = try zip(gradients, factors).map { gradient, factor in try gradient ?? factor.zerosLike() }
    // One small read a step: which networks the next step runs is drawn from α, and that is the host's to know.
    let all: [Float] = try context.cohort.mean(gradients: Tensor.concatenate(zeros)).array()
    // Two forward passes' worth: the second backward product, of the weights, is left out.
    loop.cost.add("architecture", images: batch.total, macs: supernet.model.plan.macs, factor: 2)
    let rate = alphaSchedule.rate(at: loop.step)
    chains.descend(
      channelGradients: all, velocities: &state.velocities, learningRate: rate, momentum: settings.alphaMomentum,
      budgetWeight: settings.budgetWeight)
    state.alphas = chains.alphas
    if !state.alphas.allSatisfy({ $0.allSatisfy(\.isFinite) }) { try loop.requireFinite(.nan, self) }
  }

  // MARK: - The result

  private func result() throws -> SearchResult {
    let convergence = try DMCPConvergence(
      chains, target: Double(target), samples: settings.directSamples,
      counter: CostCounter(supernet.resolved, context.costModel), seed: context.seed,
      isRamp: settings.parametrisation == .ramp)
    var evidence = convergence.evidence
    if settings.settledDrift != nil {
      evidence.values["steps"] = Double(loop.step)
      evidence.values["plannedSteps"] = Double(loop.totalSteps)
    }
    return SearchResult(
      target: target, channels: chains.expectations, macs: chains.expectedMACs, history: loop.history,
      cost: loop.cost, warnings: convergence.warnings, evidence: evidence)
  }
}
