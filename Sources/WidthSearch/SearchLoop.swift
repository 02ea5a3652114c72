import Foundation
import ImageFiles
import Loading
import Networks
import Records
import Support
import Torch
import Training

/// What changes from step to step in a search, and how it is saved and shown.
protocol SearchSubject: AnyObject {
  /// What a checkpoint keeps beside the tensors: small, on the host.
  associatedtype State: Codable
  /// What a checkpoint keeps beside the tensors.
  var state: State { get }
  /// What a checkpoint keeps in full.
  var tensors: [(name: String, tensor: Tensor)] { get throws }
  /// The model that is trained.
  var model: Model { get }
  /// What the search is doing, for people: `warm-up`, `greedy`, …
  var stage: String { get }
  /// The widths that the search holds now, and their cost.
  var standing: SearchStanding { get throws }
}

/// The widths that a search holds at some step, which may be expectations.
struct SearchStanding {
  /// Channels by width group.
  var widths: [WidthGroup.ID: Double]
  /// Their cost in MACs.
  var macs: Double
}

/// What all searches do around their own work: batches in order, telling, saving, stopping and going on.
final class SearchLoop<State: Codable> {
  private struct Saved: Codable {
    var state: State
    var cost: SearchCost
    var history: [WidthsFile.HistoryPoint]
    var skipped: SkippedImages?
  }

  let context: SearchContext
  /// Steps made so far.
  private(set) var step = 0
  /// Steps of the whole search, as far as is known.
  var totalSteps: Int
  /// What was spent.
  var cost = SearchCost()
  /// The way so far.
  private(set) var history: [WidthsFile.HistoryPoint] = []
  /// The step of the last checkpoint.
  private(set) var lastSavedStep: Int?

  private let stepsPerEpoch: Int
  private let target: Double
  private var started = Date()
  private var earlierSeconds = 0.0
  private var losses: [Double] = []
  private var lastTold = 0.0
  private var images = 0
  private var skipped = SkippedImages()

  init(_ context: SearchContext, totalSteps: Int) throws {
    self.context = context
    self.totalSteps = totalSteps
    stepsPerEpoch = context.training.batchesPerEpoch
    guard stepsPerEpoch > 0 else { throw UsageFailure("the search has no full batch of training images") }
    // Of another model's budget, the log has no number: what it shows is in MACs.
    target = context.costModel == .macs ? Double(context.targets.max() ?? 0) : 0
  }

  /// Seconds of work, over all the times that the search was started.
  var seconds: Double { earlierSeconds + Date().timeIntervalSince(started) }

  // MARK: - Going on

  /// Takes up the latest checkpoint.
  ///
  /// - Parameter restore: Given the state, makes what the search then is, and says where the tensors go.
  func resume(_ restore: (State) throws -> [(name: String, tensor: Tensor)]) throws {
    started = Date()
    defer { (lastTold, images) = (seconds, 0) }
    let warn = { [context] (message: String) in try context.events.send(.warning(.init(message: message))) }
    guard let loaded = try context.checkpoints?.latest(Saved.self, warn: warn) else {
      // The policy may have served another run, whose clock was another.
      context.policy.saved(at: 0)
      return
    }
    try loaded.restore(try restore(loaded.state.state))
    (cost, history, step) = (loaded.state.cost, loaded.state.history, loaded.step)
    skipped = loaded.state.skipped ?? SkippedImages()
    lastSavedStep = step
    earlierSeconds = cost.seconds
    context.policy.saved(at: earlierSeconds)
    try context.events.send(.resume(.init(step: step)))
  }

  // MARK: - Stepping

  /// Makes steps on training batches until step `end`, or until `isEnough` says so at the end of an epoch.
  ///
  /// - Parameter body: One step; returns the loss.
  func train<Subject: SearchSubject>(
    _ subject: Subject, until end: Int, _ body: (Batch) throws -> Double, atEndOfEpoch: () throws -> Bool = { false }
  ) throws where Subject.State == State {
    while step < end {
      let stream = context.training.epoch(step / stepsPerEpoch, startingAt: step % stepsPerEpoch)
      var isEnough = false
      while !isEnough, step < end, let batch = try stream.next() {
        try note(batch.skipped)
        losses.append(try body(batch))
        images += batch.count
        step += 1
        // Before anything is saved, so that a checkpoint never lies between a step and what belongs to it.
        if step % stepsPerEpoch == 0 { isEnough = try atEndOfEpoch() }
        try didStep(subject, endsStage: isEnough || step == end)
      }
      if isEnough { return }
    }
  }

  /// Makes one step without a training batch.
  ///
  /// - Parameter body: The step; says whether it was the last of its stage.
  func advance<Subject: SearchSubject>(
    _ subject: Subject, _ body: () throws -> (loss: Double, images: Int, isLast: Bool)
  ) throws where Subject.State == State {
    let (loss, images, isLast) = try body()
    losses.append(loss)
    self.images += images
    step += 1
    try didStep(subject, endsStage: isLast, remembers: true)
  }

  private func didStep<Subject: SearchSubject>(
    _ subject: Subject, endsStage: Bool, remembers: Bool = false
  ) throws where Subject.State == State {
    if remembers || endsStage || step % max(1, totalSteps / 100) == 0 {
      let standing = try subject.standing
      history.append(.init(step: step, macs: standing.macs, widths: standing.widths))
    }
    let now = seconds
    if endsStage || now - lastTold >= 1 { try tell(subject, now) }
    if let signal = context.interruption() {
      try save(subject)
      throw Interrupted(signal: signal, saved: "the checkpoint of search step \(step) is written")
    }
    if context.policy.isDue(step: step, lastSaved: lastSavedStep ?? 0, now: now) { try save(subject) }
  }

  /// Asks for signals inside of a long step; what the step has done so far is done again later.
  func checkInterruption<Subject: SearchSubject>(_ subject: Subject) throws where Subject.State == State {
    guard let signal = context.interruption() else { return }
    try save(subject)
    throw Interrupted(signal: signal, saved: "the checkpoint of search step \(step) is written")
  }

  /// Counts images that were left out, and warns of the first of each kind.
  func note(_ images: [SkippedImage]) throws {
    for warning in skipped.add(images) { try context.events.send(.warning(.init(message: warning))) }
  }

  /// Refuses a loss that is not a number.
  func requireFinite(_ loss: Double, learningRate: Double) throws {
    guard loss.isFinite else {
      throw TrainingFailure.nonFiniteLoss(loss, step: step, lastGoodStep: lastSavedStep, learningRate: learningRate)
    }
  }

  /// Saves the last step, and says how many images were left out.
  func finish<Subject: SearchSubject>(_ subject: Subject) throws where Subject.State == State {
    try save(subject)
    if let summary = skipped.summary { try context.events.send(.warning(.init(message: summary))) }
  }

  // MARK: - Telling and saving

  private func tell<Subject: SearchSubject>(_ subject: Subject, _ now: Double) throws {
    let loss = losses.reduce(0, +) / Double(max(losses.count, 1))
    let standing = try subject.standing
    try context.events.send(
      .search(
        .init(
          step: step, totalSteps: totalSteps, stage: subject.stage, loss: loss, macs: standing.macs, targetMACs: target,
          widths: standing.widths, imagesPerSecond: Double(images) / max(now - lastTold, 1e-9))))
    (lastTold, images, losses) = (now, 0, [])
  }

  /// Saves where the search stands.
  func save<Subject: SearchSubject>(_ subject: Subject) throws where Subject.State == State {
    cost.seconds = seconds
    guard let checkpoints = context.checkpoints else { return }
    guard try subject.model.isFinite() else {
      throw TrainingFailure.nonFiniteWeights(step: step, lastGoodStep: lastSavedStep)
    }
    let saved = Saved(state: subject.state, cost: cost, history: history, skipped: skipped)
    let name = try checkpoints.save(step: step, state: saved, tensors: try subject.tensors)
    lastSavedStep = step
    context.policy.saved(at: cost.seconds)
    try context.events.send(.checkpoint(.init(step: step, file: "checkpoints/\(name)")))
    try context.events.flush()
  }
}
