import Diagnosis
import Foundation
import Records
import Support
import Torch
import Training

/// Carries out a training of a study in a folder, goes on with one that was stopped, and does not repeat one that is done.
public struct StudyRun {
  /// The folder: of one width.
  public var folder: RunFolder
  /// The training's seed.
  public var seed: Int
  /// Text that is equal for equal trainings: data, widths, settings.
  public var identity: String

  /// Seconds between checkpoints; an epoch can be much shorter.
  public var interval = 20.0

  private struct Kept: Codable {
    var identity: String
    var result: WidthSweepSummary.Result
  }

  private struct State: Codable {
    var samples: [NormSample]
  }

  /// Describes a run.
  public init(in folder: RunFolder, seed: Int, identity: String) {
    self.folder = folder
    self.seed = seed
    self.identity = identity
  }

  /// Trains to the end, or returns what is kept.
  ///
  /// - Parameters:
  ///   - check: Asked before every step; what it throws ends the training, with its last checkpoint in the folder.
  ///   - tell: Told of each epoch.
  ///   - make: Makes the training at its first step.
  /// - Throws: `UsageFailure` when the folder holds another training; `FileFailure`; what `check` throws.
  public func result(
    check: () throws -> Void = {}, tell: (_ epoch: Int, _ loss: Double) -> Void = { _, _ in },
    _ make: () throws -> any StudyTraining
  ) throws -> WidthSweepSummary.Result {
    let path = folder.file("seed-\(seed).json")
    if FileManager.default.fileExists(atPath: path) {
      let kept = try JSONFile.read(Kept.self, path: path, expecting: "remove it, and the same command makes it again")
      guard kept.identity == identity else {
        throw UsageFailure("\(path) is of other data or settings; give another `output`")
      }
      return kept.result
    }
    try AtomicFile.createFolder(folder.path)
    let store = CheckpointStore(folder: folder.file("seed-\(seed)"), identity: identity)
    let result = try Self.train(try make(), seed: seed, store, interval: interval, check: check, tell: tell)
    try JSONFile.write(Kept(identity: identity, result: result), to: path)
    try store.removeAll()
    rmdir(store.folder)
    return result
  }

  /// Trains to the end.
  ///
  /// - Parameter store: Where checkpoints are; nil keeps none.
  static func train(
    _ training: any StudyTraining, seed: Int, _ store: CheckpointStore? = nil, interval: Double = 20,
    check: () throws -> Void = {},
    tell: (_ epoch: Int, _ loss: Double) -> Void = { _, _ in }
  ) throws -> WidthSweepSummary.Result {
    let reader = WeightNormReader(training.groups)
    var ended = 0
    var samples: [NormSample] = []
    if let loaded = try store?.latest(State.self, warn: { _ in }) {
      try loaded.restore(training.state)
      (ended, samples) = (loaded.step, loaded.state.samples)
    } else {
      samples = reader.samples(try reader.read { try training.tensor(named: $0) }, epoch: 0)
    }
    var (saved, savedEpoch) = (Date(), ended)
    // An epoch has no state of its own: what is kept is the end of one.
    func interruptible<Value>(_ body: () throws -> Value) throws -> Value {
      do { return try body() } catch let interrupted as Interrupted where store != nil && savedEpoch > 0 {
        throw Interrupted(
          signal: interrupted.signal, saved: "what was trained up to the end of epoch \(savedEpoch) is kept")
      }
    }
    func save() throws {
      guard let store, savedEpoch < ended else { return }
      try store.save(step: ended, state: State(samples: samples), tensors: training.state)
      (saved, savedEpoch) = (Date(), ended)
    }
    while ended < training.epochs {
      let (loss, rate) = try interruptible { try training.train(epoch: ended, check: check) }
      guard loss.isFinite else {
        throw TrainingFailure.nonFiniteLoss(loss, epoch: ended + 1)
      }
      ended += 1
      samples += reader.samples(
        try reader.read { try training.tensor(named: $0) }, epoch: ended, learningRate: rate)
      tell(ended, loss)
      if Date().timeIntervalSince(saved) > interval { try save() }
    }
    // A training of a few seconds is as soon done again.
    if Date().timeIntervalSince(saved) > interval / 10 { try save() }
    let score = try interruptible { try training.score(check: check) }
    let series = NormSeries(samples)
    let curves = training.groups.map { group in
      let values = series.curve(group.id)
      return WidthSweepSummary.Curve(
        group: group.id, values: values, finding: PatternClassifier().classify(values))
    }
    return .init(seed: seed, score: score, curve: curves[0], further: Array(curves.dropFirst()))
  }
}
