import Foundation
import ImageFiles
import Loading
import Records
import Support
import Torch

/// The loop under training and every search: batches in order, telling, saving, stopping and going on.
///
/// A checkpoint holds what the loop has counted (`Progress`), the work's own state and its tensors; everything random in a step is
/// a function of (seed, epoch, sample) or (seed, step), so it needs no random state, and a run that was killed and started again ends
/// with the same bits on the same number of threads.
///
/// The host reads losses where that is free (on the CPU, in every step), else when something is told or saved. A loss that is not
/// finite ends the run as soon as it is read, and always before anything of it is saved.
public final class StepLoop {
  /// What a checkpoint keeps of the loop.
  struct Progress: Codable {
    var seconds = 0.0
    var images = 0
    var endedEpochs = 0
    var epochLoss = 0.0
    var epochSteps = 0
    var skipped = SkippedImages()
  }

  private struct Saved<State: Codable>: Codable {
    var loop: Progress
    var work: State
  }

  private struct Standing<State: Codable>: Codable {
    var step: Int
    var state: Saved<State>
  }

  /// Steps made so far.
  public private(set) var step = 0
  /// The step of the last checkpoint.
  public private(set) var lastSavedStep: Int?
  /// Steps of an epoch.
  public let stepsPerEpoch: Int
  /// Who trains along.
  public let cohort: Cohort

  private let training: BatchLoader
  private let device: Device
  private let events: EventStream
  private let checkpoints: CheckpointStore?
  private let policy: CheckpointPolicy
  private let cancellation: Cancellation
  private var progress = Progress()
  private var losses: LossMeter
  // What was told last.
  private var told: (step: Int, loss: Double, imagesPerSecond: Double)?
  private var meter = RateMeter(0)
  private var started = Date()
  private var earlierSeconds = 0.0
  private var epochStart = 0.0

  /// Creates a loop at step 0.
  ///
  /// - Parameters:
  ///   - training: Batches to train on; at least one an epoch.
  ///   - device: Where losses are.
  ///   - events: Where to tell what happens.
  ///   - checkpoints: Where to save; nil saves nothing.
  ///   - policy: When to save between the ends of epochs.
  ///   - cancellation: Asked after each step; saves and ends the run.
  ///   - cohort: Who trains along.
  public init(
    _ training: BatchLoader, device: Device, events: EventStream, checkpoints: CheckpointStore?,
    policy: CheckpointPolicy, cancellation: Cancellation, cohort: Cohort = .single
  ) throws {
    self.training = training
    self.device = device
    self.events = events
    self.checkpoints = checkpoints
    self.policy = policy
    self.cancellation = cancellation
    self.cohort = cohort
    stepsPerEpoch = training.batchesPerEpoch
    losses = try LossMeter(device: device)
  }

  /// Seconds of work, over all the times that the run was started.
  public var seconds: Double { earlierSeconds + Date().timeIntervalSince(started) }
  /// Seconds of the epoch so far.
  public var epochSeconds: Double { seconds - epochStart }
  /// Training images that went through steps.
  public var images: Int { progress.images }
  /// The epochs that are complete, with what comes at their ends.
  public var endedEpochs: Int { progress.endedEpochs }
  /// The mean training loss of the epoch, as far as the host has read it.
  public var epochLoss: Double { progress.epochLoss / Double(max(progress.epochSteps, 1)) }
  /// The images that were left out.
  public var skipped: SkippedImages { progress.skipped }

  // MARK: - Going on

  /// Starts the clock, and takes up the latest checkpoint.
  ///
  /// - Parameter restore: Given the state, makes what the work then is, and says where the tensors go.
  /// - Throws: `UsageFailure` when the folder holds another run's checkpoints.
  public func resume<State: Codable>(_ restore: (State) throws -> [(name: String, tensor: Tensor)]) throws {
    started = Date()
    defer {
      meter = RateMeter(seconds)
      epochStart = seconds
    }
    let warn = { [events] (message: String) in try events.send(.warning(.init(message: message))) }
    let loaded = cohort.isWriter ? try checkpoints?.latest(Saved<State>.self, warn: warn) : nil
    // What the writer has decides, and reaches the others from there.
    guard let found = try cohort.fromWriter({ loaded.map { Standing(step: $0.step, state: $0.state) } }) else {
      // The policy may have served another run, whose clock was another.
      policy.saved(at: 0)
      return
    }
    let tensors = try restore(found.state.work)
    try loaded?.restore(tensors)
    try cohort.takeWriters(tensors.map(\.tensor))
    (progress, step, lastSavedStep) = (found.state.loop, found.step, found.step)
    earlierSeconds = progress.seconds
    policy.saved(at: earlierSeconds)
    try events.send(.resume(.init(step: found.step)))
  }

  // MARK: - Stepping

  /// Makes steps on training batches until step `end`, or until the work says at the end of an epoch that it is enough.
  public func train(_ work: some StepWork, until end: Int) throws {
    // Processes of unlike processors may draw initial weights that differ in their last bits.
    if step == 0 { try cohort.takeWriters(work.tensors.map(\.tensor)) }
    // Stopped between the last step of an epoch and its end.
    if step > 0, step <= end, step % stepsPerEpoch == 0, progress.endedEpochs < step / stepsPerEpoch {
      let epochEnd = try endEpoch(work)
      try settle(work, endsStage: epochEnd.isEnough || step == end, saves: epochEnd.saves)
      if epochEnd.isEnough { return }
    }
    while step < end {
      let stream = training.epoch(step / stepsPerEpoch, startingAt: step % stepsPerEpoch)
      (epochStart, meter) = (seconds, RateMeter(seconds))
      while step < end, let batch = try stream.next() {
        try note(batch.skipped)
        try losses.add(try step(work, on: batch))
        step += 1
        progress.images += batch.total
        meter.images += batch.total
        let endsEpoch = step % stepsPerEpoch == 0
        if device == .cpu || endsEpoch || meter.isDue(seconds) { try readLosses(work) }
        if meter.isDue(seconds) { try tell(work) }
        // Before anything is saved, so that a checkpoint never lies between a step and what belongs to it.
        let epochEnd = endsEpoch ? try endEpoch(work) : EpochEnd()
        try settle(work, endsStage: epochEnd.isEnough || step == end, saves: epochEnd.saves)
        if epochEnd.isEnough { return }
      }
    }
  }

  /// A step; where the cohort's processes lose each other before weights change, the writer keeps where they stood.
  private func step(_ work: some StepWork, on batch: Batch) throws -> Tensor {
    guard !cohort.isSingle else { return try work.step(on: batch) }
    cohort.isBeforeUpdate = true
    let statistics = cohort.isWriter ? work.model.statistics : nil
    let kept = try statistics.map { try ($0.means + $0.variances).map { try $0.cloned() } }
    do { return try work.step(on: batch) } catch let failure as GroupFailure {
      if let statistics, let kept, cohort.isBeforeUpdate {
        for (tensor, former) in zip(statistics.means + statistics.variances, kept) { try tensor.copy(from: former) }
        try save(work)
      }
      throw remarked(failure, work)
    }
  }

  private func remarked(_ failure: GroupFailure, _ work: some StepWork) -> GroupFailure {
    guard let lastSavedStep else { return failure }
    var failure = failure
    failure.remark =
      "the checkpoint of \(work.unit) \(lastSavedStep) is kept; start the job again, with as many processes or other ones, and "
      + "it goes on from there"
    return failure
  }

  /// Makes one step without a training batch.
  ///
  /// - Parameter body: The step; returns a loss to tell of, how many images it looked at, and whether it was the last of its stage.
  public func advance(
    _ work: some StepWork, _ body: () throws -> (loss: Double, images: Int, isLast: Bool)
  ) throws {
    let (loss, images, isLast): (Double, Int, Bool)
    do {
      (loss, images, isLast) = try body()
      try cohort.agreeOnSignal(cancellation.signal)
    } catch let failure as GroupFailure {
      throw remarked(failure, work)
    }
    losses.add(host: loss)
    meter.images += images
    step += 1
    if meter.isDue(seconds), !isLast { try tell(work) }
    try settle(work, endsStage: isLast, saves: false)
  }

  private func endEpoch(_ work: some StepWork) throws -> EpochEnd {
    do {
      let end = try work.endEpoch(step / stepsPerEpoch - 1)
      progress.endedEpochs = step / stepsPerEpoch
      (progress.epochLoss, progress.epochSteps) = (0, 0)
      // Last, so that what is complete is complete also where this fails.
      try uniteSkipped()
      return end
    } catch let interrupted as Interrupted where interrupted.saved == nil {
      throw try stopped(work, by: interrupted.signal)
    } catch let failure as GroupFailure {
      // The last step is complete; what belongs to the epoch's end is done again.
      try save(work)
      throw remarked(failure, work)
    }
  }

  /// What follows every step: the work's own account, the end of a stage, a signal, a checkpoint.
  private func settle(_ work: some StepWork, endsStage: Bool, saves: Bool) throws {
    try work.didStep(endsStage: endsStage)
    if endsStage, work.tellsStageEnds { try tell(work) }
    if let signal = cohort.stopping(cancellation.signal) { throw try stopped(work, by: signal) }
    if saves || policy.isDue(step: step, lastSaved: lastSavedStep ?? 0, now: seconds) { try save(work) }
  }

  /// Asks for signals inside of a long step; what the step has done so far is done again later.
  public func checkCancellation(_ work: some StepWork) throws {
    if let signal = try cohort.agree(cancellation.signal) { throw try stopped(work, by: signal) }
  }

  private func stopped(_ work: some StepWork, by signal: Int32) throws -> Interrupted {
    // One that is gone by now takes nothing with it but what it alone has left out.
    do { try uniteSkipped() } catch is GroupFailure {}
    try save(work)
    return Interrupted(signal: signal, saved: "the checkpoint of \(work.unit) \(step) is written")
  }

  /// Counts images that were left out, and warns of the first of each kind.
  public func note(_ images: [SkippedImage]) throws {
    for warning in progress.skipped.add(images) { try events.send(.warning(.init(message: warning))) }
  }

  // Each process meets those of its own part; with the order of samples the parts change.
  private func uniteSkipped() throws {
    guard !cohort.isSingle else { return }
    for other in try cohort.gathered(progress.skipped) { progress.skipped.unite(other) }
  }

  // MARK: - Telling and saving

  private func readLosses(_ work: some StepWork) throws {
    let (sum, count) = try losses.read()
    try requireFinite(sum, work)
    progress.epochLoss += sum
    progress.epochSteps += count
  }

  /// Refuses a number that is none.
  ///
  /// - Throws: ``TrainingFailure`` that names the step and the latest checkpoint.
  public func requireFinite(_ loss: Double, _ work: some StepWork) throws {
    guard loss.isFinite else {
      throw TrainingFailure.nonFiniteLoss(
        loss, step: step, lastGoodStep: lastSavedStep, learningRate: work.learningRate(at: max(step - 1, 0)),
        setting: work.rateSetting)
    }
  }

  private func tell(_ work: some StepWork) throws {
    try readLosses(work)
    // A stage can end with a step that has been told of: what is new is the state it left, and not the loss.
    if told?.step != step { told = (step, losses.takeMean(), meter.take(seconds)) }
    guard let told, let event = try work.event(loss: told.loss, imagesPerSecond: told.imagesPerSecond) else { return }
    try events.send(event)
  }

  /// Saves where the run stands.
  ///
  /// - Throws: ``TrainingFailure`` instead of saving numbers that are not finite.
  public func save<Work: StepWork>(_ work: Work) throws {
    try readLosses(work)
    progress.seconds = seconds
    guard let checkpoints, cohort.isWriter else {
      // The others' next turn is when the writer's is.
      if !cohort.isWriter { policy.saved(at: progress.seconds) }
      return
    }
    guard try work.model.isFinite() else {
      throw TrainingFailure.nonFiniteWeights(
        step: step, lastGoodStep: lastSavedStep, setting: work.rateSetting)
    }
    let saved = Saved(loop: progress, work: work.state)
    let name = try checkpoints.save(step: step, state: saved, tensors: try work.tensors)
    lastSavedStep = step
    policy.saved(at: progress.seconds)
    try events.send(.checkpoint(.init(step: step, file: "checkpoints/\(name)")))
    try events.flush()
  }
}
