import Foundation
import ImageFiles
import Loading
import Methods
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
  /// The learning rate of a step, for messages.
  func learningRate(at step: Int) -> Double
  /// The widths that the search holds now, and their cost.
  var standing: SearchStanding { get throws }
}

/// The widths that a search holds at some step, which may be expectations.
struct SearchStanding {
  /// Channels by width group.
  var widths: [WidthGroup.ID: Double]
  /// Their cost in MACs.
  var macs: Double
  /// How far they are from being decided; nil where there is only one width a group.
  var undecided: Double?
}

/// A search as work for a ``Training/StepLoop``: the method's own steps, with an account of what they cost and where they led.
final class SearchLoop<State: Codable> {
  /// What a checkpoint of a search holds beside the loop's progress: the method's state, the account, the way so far.
  struct Saved: Codable {
    var state: State
    var cost: SearchCost
    var history: [WidthsFile.HistoryPoint]
  }

  let context: SearchContext
  /// Steps of the whole search, as far as is known.
  var totalSteps: Int
  /// What was spent so far, the seconds among it.
  var cost: SearchCost {
    get {
      var cost = account
      cost.seconds = seconds
      return cost
    }
    set { account = newValue }
  }
  private var account = SearchCost()
  /// The way so far.
  private(set) var history: [WidthsFile.HistoryPoint] = []
  private let steps: StepLoop
  private let target: Double

  init(_ context: SearchContext, totalSteps: Int) throws {
    self.context = context
    self.totalSteps = totalSteps
    guard context.training.batchesPerEpoch > 0 else {
      throw UsageFailure("the search has no full batch of training images")
    }
    steps = try StepLoop(
      context.training, device: context.device, events: context.events, checkpoints: context.checkpoints,
      policy: context.policy, cancellation: context.cancellation, cohort: context.cohort)
    // Of several budgets, or another model's, the log has no number: what it shows is in MACs, and the way leads past them all.
    target = context.costModel == .macs && context.targets.count == 1 ? Double(context.targets[0]) : 0
  }

  /// Steps made so far.
  var step: Int { steps.step }
  /// Seconds of work, over all the times that the search was started.
  var seconds: Double { steps.seconds }

  /// The steps on a model's weights.
  func update(_ model: Model, _ optimizer: ParameterOptimizer) -> WeightUpdate {
    WeightUpdate(
      model, optimizer, clipNorm: context.recipe.clipNorm, cohort: context.cohort,
      batchSize: context.training.batchSize)
  }

  /// Takes up the latest checkpoint.
  ///
  /// - Parameter restore: Given the state, makes what the search then is, and says where the tensors go.
  func resume(_ restore: (State) throws -> [(name: String, tensor: Tensor)]) throws {
    try steps.resume { (saved: Saved) in
      (cost, history) = (saved.cost, saved.history)
      return try restore(saved.state)
    }
  }

  /// Makes steps on training batches until step `end`, or until `isEnough` says so at the end of an epoch.
  ///
  /// - Parameter body: One step; returns the loss, on the device.
  func train<Subject: SearchSubject>(
    _ subject: Subject, until end: Int, _ body: @escaping (Batch) throws -> Tensor,
    atEndOfEpoch: @escaping () throws -> Bool = { false }
  ) throws where Subject.State == State {
    try steps.train(Work(self, subject, body: body, atEndOfEpoch: atEndOfEpoch), until: end)
  }

  /// Makes one step without a training batch.
  ///
  /// - Parameter body: The step; says whether it was the last of its stage.
  func advance<Subject: SearchSubject>(
    _ subject: Subject, _ body: () throws -> (loss: Double, images: Int, isLast: Bool)
  ) throws where Subject.State == State {
    try steps.advance(Work(self, subject, remembers: true), body)
  }

  /// Asks for signals inside of a long step; what the step has done so far is done again later.
  func checkInterruption<Subject: SearchSubject>(_ subject: Subject) throws where Subject.State == State {
    try steps.checkCancellation(Work(self, subject))
  }

  /// Counts images that were left out, and warns of the first of each kind.
  func note(_ images: [SkippedImage]) throws { try steps.note(images) }

  /// Refuses a number that is none.
  func requireFinite<Subject: SearchSubject>(_ value: Double, _ subject: Subject) throws
  where Subject.State == State {
    try steps.requireFinite(value, Work(self, subject))
  }

  /// Saves the last step, and says how many images were left out.
  func finish<Subject: SearchSubject>(_ subject: Subject) throws where Subject.State == State {
    try save(subject)
    if let summary = steps.skipped.summary { try context.events.send(.warning(.init(message: summary))) }
  }

  /// Saves where the search stands.
  func save<Subject: SearchSubject>(_ subject: Subject) throws where Subject.State == State {
    try steps.save(Work(self, subject))
  }

  private final class Work<Subject: SearchSubject>: StepWork where Subject.State == State {
    private let search: SearchLoop
    private let subject: Subject
    private let remembers: Bool
    private let body: (Batch) throws -> Tensor
    private let atEndOfEpoch: () throws -> Bool

    init(
      _ search: SearchLoop, _ subject: Subject, remembers: Bool = false,
      body: @escaping (Batch) throws -> Tensor = { _ in try Tensor.zeros([]) },
      atEndOfEpoch: @escaping () throws -> Bool = { false }
    ) {
      (self.search, self.subject, self.remembers) = (search, subject, remembers)
      (self.body, self.atEndOfEpoch) = (body, atEndOfEpoch)
    }

    var state: Saved { Saved(state: subject.state, cost: search.cost, history: search.history) }
    var tensors: [(name: String, tensor: Tensor)] { get throws { try subject.tensors } }
    var model: Model { subject.model }
    let unit = "search step"
    let rateSetting = "search-learning-rate"
    let tellsStageEnds = true

    func learningRate(at step: Int) -> Double { subject.learningRate(at: step) }
    func step(on batch: Batch) throws -> Tensor { try body(batch) }
    func endEpoch(_ epoch: Int) throws -> EpochEnd { EpochEnd(isEnough: try atEndOfEpoch()) }

    func didStep(endsStage: Bool) throws {
      guard remembers || endsStage || search.step % max(1, search.totalSteps / 100) == 0 else { return }
      let standing = try subject.standing
      search.history.append(.init(step: search.step, macs: standing.macs, widths: standing.widths))
    }

    func event(loss: Double, imagesPerSecond: Double) throws -> RunEvent? {
      let standing = try subject.standing
      return .search(
        .init(
          step: search.step, totalSteps: search.totalSteps, stage: subject.stage, loss: loss, macs: standing.macs,
          targetMACs: search.target, widths: standing.widths, imagesPerSecond: imagesPerSecond,
          undecided: standing.undecided))
    }
  }
}
