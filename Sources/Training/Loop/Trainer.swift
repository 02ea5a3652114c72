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
/// Everything random in a step is a function of (seed, epoch, sample) or (seed, step), so a checkpoint needs no random
/// state, and a run that was killed and started again ends with the same bits on the same number of CPU threads.
public final class Trainer {
  /// The model that is trained.
  public let model: Model
  /// How it is trained.
  public let recipe: Recipe
  /// Optimizer steps made so far.
  public private(set) var step = 0

  private let training: BatchLoader
  private let heldOut: BatchLoader
  private let seed: Int
  private let events: EventStream
  private let checkpoints: CheckpointStore?
  private let policy: CheckpointPolicy
  private let interruption: () -> Int32?
  private let optimizer: ParameterOptimizer
  private let schedule: Schedule
  private let average: WeightAverage?
  private let scaler: GradientScaler?
  private let dropout: Generator
  private var progress = Progress()
  private var lastSavedStep: Int?
  private var losses: LossMeter

  /// What a checkpoint keeps beside the tensors.
  struct Progress: Codable {
    var evaluatedEpochs = 0
    var epochLoss = 0.0
    var epochSteps = 0
    var seconds = 0.0
    var images = 0
    var batchesTracked: [Int] = []
    var averageBatchesTracked: [Int]?
    var lastEvaluation: [Double]?
    // Nil in checkpoints of versions before images could be skipped.
    var skipped: SkippedImages?
  }

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
  ///   - interruption: Asked after each step; a signal saves and ends the run.
  public init(
    _ model: Model, recipe: Recipe, training: BatchLoader, heldOut: BatchLoader, seed: Int,
    events: EventStream = EventStream(), checkpoints: CheckpointStore? = nil, policy: CheckpointPolicy = .init(),
    interruption: @escaping () -> Int32? = { Interruption.signal }
  ) throws {
    try recipe.validate()
    self.model = model
    self.recipe = recipe
    self.training = training
    self.heldOut = heldOut
    self.seed = seed
    self.events = events
    self.checkpoints = checkpoints
    self.policy = policy
    self.interruption = interruption
    guard training.batchesPerEpoch > 0 else {
      throw UsageFailure(
        "there are \(training.indices.count) training images, fewer than one batch of \(recipe.batchSize); "
          + "lower `batch-size`")
    }
    optimizer = try ParameterOptimizer(model.parameters, recipe: recipe)
    schedule = recipe.schedule(stepsPerEpoch: training.batchesPerEpoch)
    average = try recipe.averagingDecay.map { try WeightAverage(of: model, decay: $0) }
    scaler = recipe.precision == .float16 ? try GradientScaler(device: model.device) : nil
    dropout = try Generator(seed: 0, device: model.device)
    losses = try LossMeter(device: model.device)
  }

  /// Trains to the end, from the latest checkpoint when there is one, and returns what `train --json` prints.
  ///
  /// - Parameter keep: Saves the result; called before the event that says that all is done.
  /// - Throws: `Interrupted` after a signal, with a checkpoint saved; `TrainingFailure` when the loss is not finite.
  public func run(keeping keep: (TrainingResult) throws -> Void = { _ in }) throws -> TrainingResult {
    let started = Date()
    try resume()
    let base = progress.seconds
    // The policy may have served another run, whose clock was another.
    policy.saved(at: base)
    let clock = { base + Date().timeIntervalSince(started) }
    for epoch in progress.evaluatedEpochs..<max(recipe.epochs, progress.evaluatedEpochs) {
      try train(epoch, clock)
    }
    let result = try finish(seconds: clock())
    try keep(result)
    if let summary = progress.skipped?.summary { try events.send(.warning(.init(message: summary))) }
    try events.send(
      .done(.init(top1: result.top1, top5: result.top5, loss: result.loss, seconds: result.seconds, flops: flops)))
    try events.flush()
    return result
  }

  /// The weights that the run is about: the average when the recipe asks for one.
  public var result: Model { average?.model ?? model }

  /// Multiply-accumulates spent so far, three forward passes a training image.
  public var flops: Double { 3 * Double(model.plan.macs) * Double(progress.images) }

  // MARK: - One epoch, one step

  private func train(_ epoch: Int, _ clock: () -> Double) throws {
    let epochStart = clock()
    let stream = training.epoch(epoch, startingAt: step - epoch * training.batchesPerEpoch)
    var meter = RateMeter(clock())
    while let batch = try stream.next() {
      try note(batch.skipped)
      let rate = try trainStep(batch)
      meter.images += batch.count
      if model.device == .cpu || meter.isDue(clock()) { try readLoss(rate) }
      if meter.isDue(clock()) {
        try events.send(
          .step(
            .init(
              step: step, totalSteps: schedule.totalSteps, epoch: epoch, loss: losses.takeMean(), learningRate: rate,
              imagesPerSecond: meter.take(clock()))))
      }
      if let signal = interruption() {
        try readLoss(rate)
        try save(clock())
        throw Interrupted(signal: signal, saved: "the checkpoint of step \(step) is written")
      }
      if policy.isDue(step: step, lastSaved: lastSavedStep ?? 0, now: clock()) {
        try readLoss(rate)
        try save(clock())
      }
    }
    try readLoss(schedule.rate(at: max(step - 1, 0)))
    try endEpoch(epoch, seconds: clock() - epochStart, clock)
  }

  private func trainStep(_ batch: Batch) throws -> Double {
    let rate = schedule.rate(at: step)
    var seeds = SeededGenerator(seed: UInt64(bitPattern: Int64(seed)), 0xD0, UInt64(step))
    try dropout.seed(seeds.next())
    try Tensor.clearGradients(model.tensors)
    let precision = recipe.precision.scalarType
    let loss = try withAutocast(precision, on: model.device) {
      try batch.crossEntropy(
        model.forward(batch.images, ForwardOptions(.training, dropout: dropout, reusesBuffers: precision == nil))
          .to(.float32), labelSmoothing: recipe.labelSmoothing)
    }
    try (scaler?.scaled(loss) ?? loss).backward()
    try scaler?.checkGradients(model.tensors)
    try optimizer.step(learningRate: rate, scaler: scaler)
    try scaler?.update()
    try average?.update(from: model)
    try losses.add(loss)
    step += 1
    progress.images += batch.count
    return rate
  }

  private func note(_ skipped: [SkippedImage]) throws {
    guard !skipped.isEmpty else { return }
    var all = progress.skipped ?? SkippedImages()
    defer { progress.skipped = all }
    for warning in all.add(skipped) { try events.send(.warning(.init(message: warning))) }
  }

  // A loss is read back where that is free (CPU) or due: a GPU must not wait for the host in every step.
  private func readLoss(_ rate: Double) throws {
    let (sum, count) = try losses.read()
    guard sum.isFinite else {
      throw TrainingFailure.nonFiniteLoss(sum, step: step, lastGoodStep: lastSavedStep, learningRate: rate)
    }
    progress.epochLoss += sum
    progress.epochSteps += count
  }

  private func endEpoch(_ epoch: Int, seconds: Double, _ clock: () -> Double) throws {
    let isLast = epoch == recipe.epochs - 1
    var evaluation: Evaluation?
    if isLast || (epoch + 1) % recipe.evaluationInterval == 0 {
      if isLast && recipe.recalibrationBatches > 0 {
        try result.recalibrate(batches: recipe.recalibrationBatches, of: training, precision: recipe.precision)
      }
      let began = clock()
      let found = try evaluate(clock)
      try note(found.skipped)
      evaluation = found
      progress.lastEvaluation = [found.loss, found.top1, found.top5, Double(found.images)]
      try events.send(
        .epoch(
          .init(
            epoch: epoch, step: step, trainLoss: progress.epochLoss / Double(max(progress.epochSteps, 1)),
            loss: found.loss, top1: found.top1, top5: found.top5, learningRate: schedule.rate(at: max(step - 1, 0)),
            seconds: seconds + clock() - began)))
    }
    if evaluation == nil {
      try events.send(
        .epoch(
          .init(
            epoch: epoch, step: step, trainLoss: progress.epochLoss / Double(max(progress.epochSteps, 1)), loss: nil,
            top1: nil, top5: nil, learningRate: schedule.rate(at: max(step - 1, 0)), seconds: seconds)))
    }
    progress.evaluatedEpochs = epoch + 1
    progress.epochLoss = 0
    progress.epochSteps = 0
    try save(clock())
  }

  // An evaluation can be long: a signal does not wait for its end.
  private func evaluate(_ clock: () -> Double) throws -> Evaluation {
    do {
      return try result.evaluate(heldOut, precision: recipe.precision, interruption: interruption)
    } catch let interrupted as Interrupted {
      try save(clock())
      throw Interrupted(signal: interrupted.signal, saved: "the checkpoint of step \(step) is written")
    }
  }

  private func finish(seconds: Double) throws -> TrainingResult {
    guard let evaluation = progress.lastEvaluation, evaluation.count == 4 else {
      throw TrainingFailure(message: "the run has no evaluation; start it anew with `overwrite`")
    }
    let cost = model.plan.resolved.cost
    return TrainingResult(
      top1: evaluation[1], top5: evaluation[2], loss: evaluation[0], images: Int(evaluation[3]), seconds: seconds,
      imagesPerSecond: Double(progress.images) / max(seconds, 1e-9), macs: cost.macs, parameters: cost.parameters,
      skippedImages: progress.skipped?.count)
  }

  // MARK: - Saving and going on

  private var state: [(name: String, tensor: Tensor)] {
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

  private func save(_ seconds: Double) throws {
    guard let checkpoints else { return }
    guard try model.isFinite() else {
      throw TrainingFailure.nonFiniteWeights(step: step, lastGoodStep: lastSavedStep)
    }
    progress.seconds = seconds
    progress.batchesTracked = model.statistics.batchesTracked
    progress.averageBatchesTracked = average?.model.statistics.batchesTracked
    let name = try checkpoints.save(step: step, state: progress, tensors: try state)
    lastSavedStep = step
    policy.saved(at: seconds)
    try events.send(.checkpoint(.init(step: step, file: "checkpoints/\(name)")))
    try events.flush()
  }

  private func resume() throws {
    let warn = { [events] (message: String) in try events.send(.warning(.init(message: message))) }
    guard let loaded = try checkpoints?.latest(Progress.self, warn: warn) else { return }
    try loaded.restore(try state)
    progress = loaded.state
    model.statistics.batchesTracked = progress.batchesTracked
    average?.model.statistics.batchesTracked = progress.averageBatchesTracked ?? progress.batchesTracked
    step = loaded.step
    lastSavedStep = step
    try events.send(.resume(.init(step: step)))
  }
}
