import Datasets
import Foundation
import Networks
import Runs
import Support
import Torch
import Training

/// One run of DMCP: the state that changes from step to step.
final class DMCPSearch {
  /// What a checkpoint keeps beside the weights. α is small and lives on the host in double precision.
  struct State: Codable {
    var alphas: [[Double]]
    var velocities: [[Double]]
    var cost = SearchCost()
    var history: [WidthsFile.HistoryPoint] = []
  }

  private let settings: DMCPSettings
  private let context: SearchContext
  private let supernet: Supernet
  private let optimizer: ParameterOptimizer
  private let schedule: Schedule
  private let alphaSchedule: Schedule
  private let narrowest: ExecutionPlan
  private let dropout: Generator
  private let totalSteps: Int
  private let warmUpSteps: Int
  private var chains: MarkovNetwork
  private var state: State
  private var step = 0
  private var lastSavedStep: Int?
  private var losses: [Double] = []

  init(_ settings: DMCPSettings, _ context: SearchContext, _ network: Network) throws {
    self.settings = settings
    self.context = context
    try context.recipe.validate()
    try settings.validate()
    supernet = try Supernet(network, seed: context.seed, device: context.device)
    chains = try MarkovNetwork(supernet.resolved, settings: settings, targetMACs: Double(context.targetMACs))
    try DMCP(settings).validate(supernet.resolved.network, recipe: context.recipe)
    state = State(alphas: chains.alphas, velocities: chains.alphas.map { $0.map { _ in 0 } })
    state.cost.trainingImages = context.training.imagesPerEpoch
    state.cost.supernetMACs = supernet.model.plan.macs
    optimizer = try ParameterOptimizer(supernet.model.parameters, recipe: context.recipe)
    let stepsPerEpoch = context.training.batchesPerEpoch
    guard stepsPerEpoch > 0 else { throw UsageFailure("the search has no full batch of training images") }
    totalSteps = context.recipe.epochs * stepsPerEpoch
    warmUpSteps = min(totalSteps, Int((Double(totalSteps) * settings.warmUpFraction).rounded()))
    schedule = context.recipe.schedule(stepsPerEpoch: stepsPerEpoch)
    let peak = settings.alphaLearningRate ?? Self.alphaLearningRate(steps: totalSteps - warmUpSteps)
    alphaSchedule = Schedule(
      peak: peak, initial: peak, final: peak / 5, shape: .cosine, warmUpSteps: warmUpSteps, totalSteps: totalSteps)
    narrowest = try supernet.plan(chains.narrowest)
    dropout = try Generator(seed: 0, device: context.device)
  }

  /// The official 0.5 for 500 steps and more; up to 2 for fewer (algorithms.md 10).
  static func alphaLearningRate(steps: Int) -> Double { 0.5 * min(4, max(1, 500 / Double(max(steps, 1)))) }

  func run() throws -> SearchResult {
    let started = Date()
    try resume()
    let base = state.cost.seconds
    // The policy may have served another run, whose clock was another.
    context.policy.saved(at: base)
    let clock = { base + Date().timeIntervalSince(started) }
    let stepsPerEpoch = context.training.batchesPerEpoch
    while step < totalSteps {
      let epoch = step / stepsPerEpoch
      let stream = context.training.epoch(epoch, startingAt: step % stepsPerEpoch)
      var lastTold = clock()
      var images = 0
      while let batch = try stream.next() {
        let loss = try advance(batch)
        losses.append(loss)
        images += batch.count
        let now = clock()
        if now - lastTold >= 1 || step == totalSteps {
          try tell(imagesPerSecond: Double(images) / max(now - lastTold, 1e-9))
          (lastTold, images) = (now, 0)
        }
        if let signal = context.interruption() {
          try save(clock())
          throw Interrupted(signal: signal, saved: "the checkpoint of search step \(step) is written")
        }
        if context.policy.isDue(step: step, lastSaved: lastSavedStep ?? 0, now: now) { try save(now) }
      }
    }
    try save(clock())
    return result()
  }

  // MARK: - One step

  private func advance(_ batch: Batch) throws -> Double {
    var random = SeededGenerator(seed: UInt64(bitPattern: Int64(context.seed)), 0xD3C9, UInt64(step))
    try dropout.seed(random.next())
    try Tensor.clearGradients(supernet.model.tensors)
    let drawn = try (0..<settings.randomPasses).map { _ in try supernet.plan(draw(&random)) }
    let loss = try supernet.accumulateSandwich(
      batch, narrower: [narrowest] + drawn, labelSmoothing: context.recipe.labelSmoothing, dropout: dropout,
      precision: context.recipe.precision
    ).item()
    let rate = schedule.rate(at: step)
    guard loss.isFinite else {
      throw TrainingFailure.nonFiniteLoss(loss, step: step, lastGoodStep: lastSavedStep, learningRate: rate)
    }
    try optimizer.step(learningRate: rate)
    state.cost.add("widest", images: batch.count, macs: supernet.model.plan.macs)
    state.cost.add("narrowest", images: batch.count, macs: narrowest.macs)
    for plan in drawn { state.cost.add("random", images: batch.count, macs: plan.macs) }
    if step >= warmUpSteps { try architectureStep(batch) }
    step += 1
    if step % max(1, totalSteps / 100) == 0 || step == totalSteps {
      state.history.append(.init(step: step, macs: chains.expectedMACs, widths: chains.expectations))
    }
    return loss
  }

  /// "Scheduled random": a uniform draw with a probability that falls over the second stage, else a walk along the chains.
  private func draw(_ random: inout SeededGenerator) -> Widths {
    guard step >= warmUpSteps else { return chains.uniformDraw(&random) }
    let progress = Double(step - warmUpSteps) / Double(max(totalSteps - warmUpSteps, 1))
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
    let options = ForwardOptions(
      .batch, channelScales: Dictionary(zip(chains.groups, factors), uniquingKeysWith: { first, _ in first }),
      dropout: dropout, reusesBuffers: context.recipe.precision == .float32)
    let loss = try withAutocast(context.recipe.precision.scalarType, on: device) {
      try supernet.model.forward(batch.images, options)
    }.to(.float32).crossEntropy(batch.labels, labelSmoothing: context.recipe.labelSmoothing)
    // Only the factors are asked for, so LibTorch leaves the weight gradients out.
    let gradients = try loss.gradients(of: factors)
    let zeros = try zip(gradients, factors).map { gradient, factor in try gradient ?? factor.zerosLike() }
    let all: [Float] = try Tensor.concatenate(zeros).array()
    state.cost.add("architecture", images: batch.count, macs: supernet.model.plan.macs)
    chains.descend(
      channelGradients: all, velocities: &state.velocities, learningRate: alphaSchedule.rate(at: step),
      momentum: settings.alphaMomentum, budgetWeight: settings.budgetWeight)
    state.alphas = chains.alphas
    guard state.alphas.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
      throw TrainingFailure.nonFiniteLoss(
        .nan, step: step, lastGoodStep: lastSavedStep, learningRate: alphaSchedule.rate(at: step))
    }
  }

  // MARK: - Telling, saving, going on

  private func tell(imagesPerSecond: Double) throws {
    let loss = losses.reduce(0, +) / Double(max(losses.count, 1))
    losses = []
    try context.events.send(
      .search(
        .init(
          step: step, totalSteps: totalSteps, stage: step <= warmUpSteps ? "warm-up" : "architecture", loss: loss,
          macs: chains.expectedMACs, targetMACs: Double(context.targetMACs), widths: chains.expectations,
          imagesPerSecond: imagesPerSecond)))
  }

  private var tensors: [(name: String, tensor: Tensor)] {
    supernet.model.parameters.map { ("model.\($0.name)", $0.tensor) } + optimizer.state
  }

  private func save(_ seconds: Double) throws {
    state.cost.seconds = seconds
    guard let checkpoints = context.checkpoints else { return }
    guard try supernet.model.isFinite() else {
      throw TrainingFailure.nonFiniteWeights(step: step, lastGoodStep: lastSavedStep)
    }
    let name = try checkpoints.save(step: step, state: state, tensors: tensors)
    lastSavedStep = step
    context.policy.saved(at: seconds)
    try context.events.send(.checkpoint(.init(step: step, file: "checkpoints/\(name)")))
    try context.events.flush()
  }

  private func resume() throws {
    let warn = { [context] (message: String) in try context.events.send(.warning(.init(message: message))) }
    guard let loaded = try context.checkpoints?.latest(State.self, warn: warn) else { return }
    try loaded.restore(tensors)
    state = loaded.state
    chains.alphas = state.alphas
    step = loaded.step
    lastSavedStep = step
    try context.events.send(.resume(.init(step: step)))
  }

  private func result() -> SearchResult {
    let expected = chains.expectedMACs
    let target = Double(context.targetMACs)
    var warnings: [String] = []
    if abs(expected - target) / target >= 0.05 {
      let percent = String(format: "%.1f", 100 * expected / target)
      warnings.append(
        "the search ended at \(percent) % of its budget, outside the 5 % band: it was too short to settle. The widths are "
          + "matched to the budget all the same; more --search-epochs would help")
    }
    return SearchResult(
      channels: chains.expectations, macs: expected, history: state.history, cost: state.cost, warnings: warnings)
  }
}
