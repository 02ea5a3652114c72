import Diagnosis
import Foundation
import ImageFiles
import Loading
import Methods
import Networks
import Records
import Support
import Torch

/// Trains a model by a recipe, tells what happens as events, and can stop and go on at any step.
///
/// The work that a ``StepLoop`` carries out: one step of gradient descent, and an evaluation at the ends of epochs. The weights that are
/// evaluated and kept are an average where the recipe asks for one; their batch-norm statistics are recalibrated at the end.
public final class Trainer: StepWork {
  /// The model that is trained; another one after a change of widths.
  public private(set) var model: Model
  /// How it is trained.
  public let recipe: Recipe
  /// What a checkpoint keeps beside the tensors.
  public private(set) var state = State()

  /// What a checkpoint keeps beside the tensors.
  public struct State: Codable {
    var batchesTracked: [Int] = []
    var averageBatchesTracked: [Int]?
    var lastEvaluation: [Double]?
    var adaptation: WidthAdaptation?
    /// Multiply-accumulates of the images before the last change of widths.
    var earlierFLOPs: Double?
    /// The images before it.
    var earlierImages: Int?
  }

  private let training: BatchLoader
  private let heldOut: BatchLoader
  private let seed: Int
  private let events: EventStream
  private let cancellation: Cancellation
  private let loop: StepLoop
  private let cohort: Cohort
  private let adapter: (any WidthAdapter)?
  private var optimizer: ParameterOptimizer
  private var update: WeightUpdate
  private let schedule: Schedule
  private let average: WeightAverage?
  private let scaler: GradientScaler?
  private let dropout: Generator
  private let observers: [any TrainingObserver]

  /// Creates a trainer at step 0.
  ///
  /// - Parameters:
  ///   - model: The model, with its initial weights.
  ///   - training: Batches to train on.
  ///   - heldOut: Batches to evaluate on after each epoch.
  ///   - seed: The seed of dropout and stochastic depth.
  ///   - events: Where to tell what happens.
  ///   - checkpoints: Where to save; nil saves nothing.
  ///   - policy: When to save between epochs.
  ///   - cancellation: Asked after each step; saves and ends the run.
  ///   - cohort: Who trains along.
  ///   - observers: What looks at the model between epochs.
  ///   - adapter: What changes its widths between epochs; nil leaves them as they are.
  public init(
    _ model: Model, recipe: Recipe, training: BatchLoader, heldOut: BatchLoader, seed: Int,
    events: EventStream = EventStream(), checkpoints: CheckpointStore? = nil, policy: CheckpointPolicy = .init(),
    cancellation: Cancellation = .signals, cohort: Cohort = .single, observers: [any TrainingObserver] = [],
    adapter: (any WidthAdapter)? = nil
  ) throws {
    try recipe.validate()
    self.model = model
    if recipe.recomputesActivations { model.recomputeActivations() }
    self.recipe = recipe
    self.training = training
    self.heldOut = heldOut
    self.seed = seed
    self.events = events
    self.cancellation = cancellation
    self.cohort = cohort
    self.adapter = adapter
    guard training.batchesPerEpoch > 0 else {
      throw UsageFailure(
        "there are \(training.indices.count) training images, fewer than one batch of \(recipe.batchSize); "
          + "lower `batch-size`")
    }
    loop = try StepLoop(
      training, device: model.device, events: events, checkpoints: checkpoints, policy: policy,
      cancellation: cancellation, cohort: cohort)
    optimizer = try ParameterOptimizer(model.parameters, recipe: recipe)
    schedule = recipe.schedule(stepsPerEpoch: training.batchesPerEpoch)
    average = try recipe.averagingDecay.map { try WeightAverage(of: model, decay: $0) }
    scaler = recipe.precision == .float16 ? try GradientScaler(device: model.device) : nil
    update = Self.update(model, optimizer, recipe, scaler, cohort, training)
    dropout = try Generator(seed: 0, device: model.device)
    self.observers = observers
    if let adapter {
      guard average == nil else {
        throw UsageFailure("`averaging-decay` averages one network's weights; it does not go with widths that change")
      }
      state.adaptation = WidthAdaptation(model.plan.resolved, epochs: recipe.epochs, adapter.rules)
    }
  }

  /// Trains to the end, from the latest checkpoint when there is one, and returns what `train --json` prints.
  ///
  /// - Parameters:
  ///   - remark: What to warn of in the end; called when all images have been read.
  ///   - keep: Saves the result; called before the event that says that all is done.
  /// - Throws: `Interrupted` when it is stopped, with a checkpoint saved; `TrainingFailure` when the loss is not finite.
  public func run(
    remarking remark: () throws -> String? = { nil }, keeping keep: (TrainingResult) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    try loop.resume { (saved: State) in
      state = saved
      if let widths = saved.adaptation?.widths { try takeUp(widths) }
      model.statistics.batchesTracked = saved.batchesTracked
      average?.model.statistics.batchesTracked = saved.averageBatchesTracked ?? saved.batchesTracked
      return try tensors
    }
    if loop.step == 0, let remark = averagingRemark { try events.send(.warning(.init(message: remark))) }
    for observer in observers {
      try observer.begin(model, afterEpochs: loop.endedEpochs, isNew: loop.step == 0)
    }
    if loop.step == 0, loop.lastSavedStep == nil { try adapt(afterEpochs: 0, learningRate: nil) }
    try loop.train(self, until: schedule.totalSteps)
    let result = try finish(seconds: loop.seconds)
    try keep(result)
    for warning in [loop.skipped.summary, try remark()].compactMap(\.self) {
      try events.send(.warning(.init(message: warning)))
    }
    try events.send(
      .done(.init(top1: result.top1, top5: result.top5, loss: result.loss, seconds: result.seconds, flops: flops)))
    try events.flush()
    return result
  }

  // An average so slow is mostly what the network was before it learned anything.
  private var averagingRemark: String? {
    guard let decay = recipe.averagingDecay else { return nil }
    let steps = schedule.totalSteps
    let part = pow(decay, Double(steps))
    guard part > 0.1 else { return nil }
    return
      "`averaging-decay` \(decay): after all \(steps) steps the initial weights are still \(Format.percent(100 * part, 0)) of the "
      + "average, which is what is evaluated and kept; about \(Format.decimal(1 - 5 / Double(max(steps, 6)), 4)) suits so few steps"
  }

  /// Optimizer steps made so far.
  public var step: Int { loop.step }

  /// The weights that the run is about: the average when the recipe asks for one.
  public var result: Model { average?.model ?? model }

  /// Multiply-accumulates spent so far, three forward passes a training image.
  public var flops: Double {
    (state.earlierFLOPs ?? 0) + 3 * Double(model.plan.macs) * Double(loop.images - (state.earlierImages ?? 0))
  }

  // MARK: - The work of the loop

  /// `step`.
  public let unit = "step"
  /// No: an epoch has an event of its own.
  public let tellsStageEnds = false

  /// The learning rate of a step.
  public func learningRate(at step: Int) -> Double { schedule.rate(at: step) }

  /// One step of gradient descent.
  public func step(on batch: Batch) throws -> Tensor {
    var seeds = SeededGenerator(seed: seed, .dropout, at: loop.step)
    try dropout.seed(seeds.next())
    let precision = recipe.precision.scalarType
    let loss = try update(learningRate: schedule.rate(at: loop.step)) {
      let loss = try withAutocast(precision, on: model.device) {
        try batch.crossEntropy(
          model.forward(
            batch.images,
            cohort.options(
              ForwardOptions(.training, dropout: dropout, reusesBuffers: precision == nil), for: batch)
          ).to(.float32), labelSmoothing: recipe.labelSmoothing)
      }
      try update.backward(loss)
      return loss
    }
    try average?.update(from: model)
    state.batchesTracked = model.statistics.batchesTracked
    state.averageBatchesTracked = average?.model.statistics.batchesTracked
    return loss
  }

  /// Nothing more to account for.
  public func didStep(endsStage: Bool) throws {}

  /// The loss and speed of the last steps.
  public func event(loss: Double, imagesPerSecond: Double) throws -> RunEvent? {
    let last = max(loop.step - 1, 0)
    return .step(
      .init(
        step: loop.step, totalSteps: schedule.totalSteps, epoch: last / loop.stepsPerEpoch, loss: loss,
        learningRate: schedule.rate(at: last), imagesPerSecond: imagesPerSecond))
  }

  /// Evaluates, where the recipe wants it.
  public func endEpoch(_ epoch: Int) throws -> EpochEnd {
    let isLast = epoch == recipe.epochs - 1
    var found: Evaluation?
    // The running statistics that count are the writer's.
    if !cohort.isSingle {
      for statistics in [model.statistics] + (average.map { [$0.model.statistics] } ?? []) {
        try cohort.takeWriters(statistics.means + statistics.variances)
      }
    }
    if isLast || (epoch + 1) % recipe.evaluationInterval == 0 {
      if isLast && recipe.recalibrationBatches > 0 {
        try result.recalibrate(
          batches: recipe.recalibrationBatches, of: training, precision: recipe.precision, cohort: cohort)
        state.batchesTracked = model.statistics.batchesTracked
        state.averageBatchesTracked = average?.model.statistics.batchesTracked
      }
      // An evaluation can be long: a signal does not wait for its end.
      let evaluation = try result.evaluate(heldOut, precision: recipe.precision, cohort: cohort) {
        cancellation.signal
      }
      guard evaluation.loss.isFinite else {
        throw TrainingFailure.nonFiniteEvaluation(evaluation.loss, step: loop.step, lastGoodStep: loop.lastSavedStep)
      }
      try loop.note(evaluation.skipped)
      state.lastEvaluation = [evaluation.loss, evaluation.top1, evaluation.top5, Double(evaluation.images)]
      found = evaluation
    }
    try events.send(
      .epoch(
        .init(
          epoch: epoch, step: loop.step, trainLoss: loop.epochLoss, loss: found?.loss, top1: found?.top1,
          top5: found?.top5, learningRate: schedule.rate(at: max(loop.step - 1, 0)), seconds: loop.epochSeconds)))
    for observer in observers {
      try observer.endEpoch(
        model, endedEpochs: epoch + 1, learningRate: schedule.rate(at: max(loop.step - 1, 0)))
    }
    try adapt(afterEpochs: epoch + 1, learningRate: schedule.rate(at: max(loop.step - 1, 0)))
    return EpochEnd(saves: true)
  }

  // MARK: - Widths that change

  // The model as it is after an epoch decides what the next one trains.
  private func adapt(afterEpochs ended: Int, learningRate: Double?) throws {
    guard let adapter, var adaptation = state.adaptation else { return }
    let network = model.plan.resolved
    let reader = WeightNormReader(network.channelGroups)
    var samples: [WidthGroup.ID: Double] = [:]
    for (group, norms) in zip(reader.groups, try reader.read { try model.tensor(named: $0) }) {
      samples[group.id] = norms.values(.product).flatMap(NormStatistics.init)?.variance
    }
    let changes = try adaptation.observe(samples, epoch: ended, learningRate: learningRate, of: network)
    guard !changes.isEmpty else {
      state.adaptation = adaptation
      return
    }
    try change {
      let (moments, steps) = (optimizer.moments, optimizer.steps)
      let resized = try adapter.carryOut(changes, on: model, moments)
      (state.earlierFLOPs, state.earlierImages) = (flops, loop.images)
      try equip(resized.model)
      try optimizer.restore(resized.moments, steps: steps)
      try cohort.takeWriters(tensors.map(\.tensor))
      state.adaptation = adaptation
    }
    let cost = model.plan.resolved.cost
    try events.send(
      .adaptation(
        .init(
          epoch: ended, step: loop.step,
          changes: changes.map { .init(group: $0.group, from: $0.old, to: $0.new, pattern: $0.pattern.rawValue) },
          macs: cost.macs, parameters: cost.parameters)))
  }

  // Whole or not at all: what is saved when a process is lost between is what it was, and the change is made again.
  private func change(_ body: () throws -> Void) throws {
    let former = (state, model, optimizer, update)
    do { try body() } catch {
      (state, model, optimizer, update) = former
      throw error
    }
  }

  // The model of a checkpoint that was written after a change; its tensors follow.
  private func takeUp(_ widths: Widths) throws {
    let network = model.plan.resolved
    guard network.widths != widths else { return }
    try equip(Model(network.with(widths), seed: seed, device: model.device))
  }

  private func equip(_ new: Model) throws {
    new.statistics.batchesTracked = model.statistics.batchesTracked
    if recipe.recomputesActivations { new.recomputeActivations() }
    model = new
    optimizer = try ParameterOptimizer(new.parameters, recipe: recipe)
    update = Self.update(new, optimizer, recipe, scaler, cohort, training)
  }

  private static func update(
    _ model: Model, _ optimizer: ParameterOptimizer, _ recipe: Recipe, _ scaler: GradientScaler?, _ cohort: Cohort,
    _ training: BatchLoader
  ) -> WeightUpdate {
    // Activations that are computed again make passes within the pass, which a reducer does not know.
    WeightUpdate(
      model, optimizer, clipNorm: recipe.clipNorm, scaler: scaler, cohort: cohort, batchSize: training.batchSize,
      hasOnePass: !recipe.recomputesActivations)
  }

  private func finish(seconds: Double) throws -> TrainingResult {
    guard let evaluation = state.lastEvaluation, evaluation.count == 4 else {
      throw TrainingFailure(message: "the run has no evaluation; start it anew with `overwrite`")
    }
    let cost = model.plan.resolved.cost
    let skipped = loop.skipped.count
    return TrainingResult(
      top1: evaluation[1], top5: evaluation[2], loss: evaluation[0], images: Int(evaluation[3]), seconds: seconds,
      imagesPerSecond: Double(loop.images) / max(seconds, 1e-9), macs: cost.macs, parameters: cost.parameters,
      skippedImages: skipped > 0 ? skipped : nil,
      flops: state.earlierFLOPs == nil ? nil : flops, exchange: update.exchange)
  }

  /// Weights, running statistics and the optimizer's state; the average's and the loss scale where there are any.
  public var tensors: [(name: String, tensor: Tensor)] {
    get throws {
      func values(_ model: Model, _ prefix: String) throws -> [(name: String, tensor: Tensor)] {
        try model.stateDict().filter { !$0.name.hasSuffix(".num_batches_tracked") }
          .map { ("\(prefix).\($0.name)", $0.tensor) }
      }
      var result = try values(model, "model") + optimizer.state
      if let average { result += try values(average.model, "average") }
      if let scaler { result += [("scaler.scale", scaler.scale), ("scaler.growth_tracker", scaler.growthTracker)] }
      return result
    }
  }
}
