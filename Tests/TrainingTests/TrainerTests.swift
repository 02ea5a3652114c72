import Foundation
import ImageFiles
import Interchange
import Loading
import Methods
import Records
import Support
import Testing
import Torch

@testable import Training

/// Collects events, and can fail at one of them as a process that is killed there.
final class Recorder: EventSink, @unchecked Sendable {
  struct Killed: Error {}
  var events: [RunEvent] = []
  var killsAt: ((RunEvent) -> Bool)?
  func receive(_ event: TimedEvent) throws {
    events.append(event.event)
    if killsAt?(event.event) == true { throw Killed() }
  }
  var warnings: [String] {
    events.compactMap { if case .warning(let warning) = $0 { warning.message } else { nil } }
  }
}

/// One way to train the toy network: two epochs of four steps.
struct ToyTraining: Sendable, CustomTestStringConvertible {
  var name: String
  var recipe: Recipe
  var dropout = false
  var seed = 3
  var testDescription: String { name }

  static let base = Recipe(
    epochs: 2, batchSize: 32, learningRate: 0.1, warmUpEpochs: 0.5, augmentation: .padCropFlip(padding: 1, flip: false))

  static let all: [ToyTraining] = {
    func with(_ name: String, dropout: Bool = false, _ change: (inout Recipe) -> Void = { _ in }) -> ToyTraining {
      var recipe = base
      change(&recipe)
      return ToyTraining(name: name, recipe: recipe, dropout: dropout)
    }
    return [
      with("SGD"), with("clipped") { $0.clipNorm = 0.5 }, with("weight average") { $0.averagingDecay = 0.7 },
      with("Adam") { ($0.optimizer, $0.learningRate, $0.labelSmoothing) = (.adam, 0.01, 0.1) },
      with("AdamW with average") { ($0.optimizer, $0.averagingDecay) = (.adamw, 0.5) },
      with("dropout and stochastic depth", dropout: true),
      with("recalibration, evaluated at the end") { ($0.recalibrationBatches, $0.evaluationInterval) = (3, 5) },
      with("recalibrated average") { ($0.recalibrationBatches, $0.averagingDecay) = (2, 0.5) },
      with("bfloat16") { $0.precision = .bfloat16 },
    ]
  }()

  var training: BatchLoader {
    get throws {
      try BatchLoader(
        source: toyDataset.training, batchSize: recipe.batchSize, resolution: 8, normalization: .grey,
        augmentation: recipe.augmentation, seed: UInt64(seed), shuffles: true, dropsLast: true)
    }
  }

  /// A trainer of fresh objects.
  func trainer(
    _ folder: TemporaryFolder? = nil, events: Recorder = Recorder(), every steps: Int? = nil,
    identity: String? = nil, interruptedAt stop: Int? = nil, atQuestion question: Int? = nil
  ) throws -> Trainer {
    var asked = 0
    weak var made: Trainer?
    let trainer = try Trainer(
      Model(toyNetwork(dropout: dropout), seed: seed), recipe: recipe, training: training,
      heldOut: toyDataset.heldOutLoader(batchSize: 64), seed: seed, events: EventStream([events]),
      checkpoints: folder.map { CheckpointStore(folder: $0.path, identity: identity ?? name) },
      policy: CheckpointPolicy(seconds: 1e9, steps: steps),
      cancellation: Cancellation(signal: {
        asked += 1
        return asked == question || (stop != nil && made?.step == stop) ? SIGTERM : nil
      }))
    made = trainer
    return trainer
  }
}

@Suite struct TrainerTests {
  private func expectEqual(
    _ one: Trainer, _ other: Trainer, _ results: (TrainingResult, TrainingResult),
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try one.model.bits() == other.model.bits(), sourceLocation: sourceLocation)
    #expect(try one.result.bits() == other.result.bits(), sourceLocation: sourceLocation)
    #expect(one.result.statistics.batchesTracked == other.result.statistics.batchesTracked)
    #expect(one.step == other.step && one.flops == other.flops, sourceLocation: sourceLocation)
    #expect(results.0.top1 == results.1.top1 && results.0.loss == results.1.loss, sourceLocation: sourceLocation)
  }

  // Three questions after steps, then the evaluation after the fourth step asks the fourth.
  @Test func aSignalDuringAnEvaluationDoesNotWaitForItsEnd() throws {
    let way = try #require(ToyTraining.all.first)
    let straight = try way.trainer()
    let expected = try straight.run()
    let folder = try TemporaryFolder()
    let events = Recorder()
    let interrupted = #expect(throws: Interrupted.self) {
      try way.trainer(folder, events: events, atQuestion: 4).run()
    }
    #expect(interrupted?.message.contains("step 4") == true)
    #expect(!events.events.contains { if case .epoch = $0 { true } else { false } })
    let resumed = try way.trainer(folder)
    try expectEqual(resumed, straight, (try resumed.run(), expected))
  }

  // In the middle of the first epoch, at its last step (before its evaluation), after the first step of the second, at the
  // very last step.
  @Test("An interrupted and resumed training ends with the bits of an uninterrupted one", arguments: ToyTraining.all)
  func resume(way: ToyTraining) throws {
    let straight = try way.trainer()
    let expected = try straight.run()
    #expect(straight.step == 8)
    for stop in [2, 4, 5, 8] {
      let folder = try TemporaryFolder()
      let interrupted = #expect(throws: Interrupted.self) { try way.trainer(folder, interruptedAt: stop).run() }
      #expect(interrupted?.exitCode == .terminated)
      #expect(interrupted?.message.contains("step \(stop)") == true)
      let events = Recorder()
      let resumed = try way.trainer(folder, events: events)
      let result = try resumed.run()
      try expectEqual(resumed, straight, (result, expected))
      #expect(events.events.first == .resume(.init(step: stop)))
    }
  }

  @Test("A training killed right after an evaluation goes on behind it", arguments: ToyTraining.all)
  func resumeAfterEvaluation(way: ToyTraining) throws {
    let straight = try way.trainer()
    let expected = try straight.run()
    let folder = try TemporaryFolder()
    let events = Recorder()
    events.killsAt = { if case .checkpoint(let saved) = $0 { saved.step == 4 } else { false } }
    #expect(throws: Recorder.Killed.self) { try way.trainer(folder, events: events).run() }
    let second = Recorder()
    let resumed = try way.trainer(folder, events: second)
    try expectEqual(resumed, straight, (try resumed.run(), expected))
    #expect(second.events.filter { if case .epoch = $0 { true } else { false } }.count == 1)
  }

  @Test("A finished training is not trained again")
  func finished() throws {
    let folder = try TemporaryFolder()
    let way = ToyTraining.all[1]
    let first = try way.trainer(folder)
    let result = try first.run()
    let again = try way.trainer(folder)
    try expectEqual(again, first, (try again.run(), result))
  }

  @Test("The epoch's mean loss does not depend on where the run was stopped")
  func epochLoss() throws {
    func losses(_ events: Recorder) -> [Double] {
      events.events.compactMap { if case .epoch(let epoch) = $0 { epoch.trainLoss } else { nil } }
    }
    let whole = Recorder()
    _ = try ToyTraining.all[0].trainer(events: whole).run()
    let folder = try TemporaryFolder()
    let parts = Recorder()
    #expect(throws: Interrupted.self) {
      try ToyTraining.all[0].trainer(folder, events: parts, interruptedAt: 3).run()
    }
    _ = try ToyTraining.all[0].trainer(folder, events: parts).run()
    #expect(losses(parts) == losses(whole))
    #expect(losses(whole).count == 2)
  }

  @Test("A truncated newest checkpoint is passed over with a warning, and the end is the same")
  func truncatedCheckpoint() throws {
    let way = ToyTraining.all[0]
    let straight = try way.trainer()
    let expected = try straight.run()
    let folder = try TemporaryFolder()
    #expect(throws: Interrupted.self) { try way.trainer(folder, every: 1, interruptedAt: 3).run() }
    let newest = folder.file("step-3.safetensors")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
    try bytes.prefix(bytes.count - 10).write(to: URL(fileURLWithPath: newest))
    let events = Recorder()
    let resumed = try way.trainer(folder, events: events)
    try expectEqual(resumed, straight, (try resumed.run(), expected))
    #expect(events.warnings.count == 1 && events.warnings[0].contains("step-3.safetensors"), "\(events.warnings)")
    #expect(events.events.contains(.resume(.init(step: 2))))
  }

  @Test("A loss that is not finite ends the run; the last good checkpoint stays and can be loaded")
  func divergence() throws {
    let folder = try TemporaryFolder()
    var way = ToyTraining.all[0]
    (way.recipe.epochs, way.recipe.warmUpEpochs, way.recipe.warmUpFrom) = (8, 1, 0.01)
    way.recipe.learningRate = 1e30
    let trainer = try way.trainer(folder, every: 1)
    let failure = #expect(throws: TrainingFailure.self) { try trainer.run() }
    #expect(failure?.exitCode == .badData)
    #expect(failure?.message.contains("is kept") == true, "\(failure?.message ?? "")")
    let store = CheckpointStore(folder: folder.path, identity: way.name)
    struct Anything: Codable {}
    let loaded = try #require(try store.latest(Anything.self) { _ in })
    #expect(failure?.message.contains("checkpoint of step \(loaded.step)") == true)
    for name in loaded.file.names {
      #expect(try loaded.file.tensor(name).isFinite().all().integerItem() == 1, "\(name)")
    }
  }

  @Test("Weights that are not finite are never saved, whatever the loss was")
  func nonFiniteWeights() throws {
    let folder = try TemporaryFolder()
    let trainer = try ToyTraining.all[0].trainer(folder, every: 1)
    // The mean of the last normalization plays no part in the loss of a training step.
    try trainer.model.statistics.means[0].fill(.nan)
    let failure = #expect(throws: TrainingFailure.self) { try trainer.run() }
    #expect(failure?.message.contains("after step 1; there is no checkpoint yet") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("Training learns what an eye sees")
  func learns() throws {
    var way = ToyTraining.all[0]
    way.recipe.epochs = 6
    let events = Recorder()
    let result = try way.trainer(events: events).run()
    let losses = events.events.compactMap { if case .epoch(let epoch) = $0 { epoch.trainLoss } else { nil } }
    #expect(losses.count == 6)
    #expect(losses[0] > 0.8 && losses[5] < 0.4 * losses[0], "\(losses)")
    #expect(result.top1 > 95 && result.top5 == 100 && result.images == 64)
    #expect(events.events.contains { if case .done(let done) = $0 { done.top1 == result.top1 } else { false } })
  }

  @Test("FLOPs are three forward passes an image")
  func flops() throws {
    let trainer = try ToyTraining.all[0].trainer()
    _ = try trainer.run()
    #expect(trainer.flops == Double(3 * 256 * trainer.model.plan.macs))
  }
}
