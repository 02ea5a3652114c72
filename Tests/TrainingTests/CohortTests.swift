import Diagnosis
import Foundation
import ImageFiles
import Loading
import Merging
import Methods
import Networks
import ProcessGroups
import Records
import Support
import Testing
import Torch

@testable import Training

/// Trainings that several processes make together.
@Suite(.enabled(if: ProcessGroup.isAvailable, "Gloo's headers were not there"))
struct CohortTests {
  /// One way to train together.
  struct Way: Sendable, CustomTestStringConvertible {
    var name: String
    var recipe = ToyTraining.base
    var dropout = false
    var synchronizes = true
    var overlaps = true
    var testDescription: String { name }

    static let all: [Way] = {
      func with(_ name: String, dropout: Bool = false, overlaps: Bool = true, _ change: (inout Recipe) -> Void) -> Way {
        var way = Way(name: name, dropout: dropout, overlaps: overlaps)
        // A few gentle steps, so that roundings do not grow.
        way.recipe.learningRate = 0.01
        change(&way.recipe)
        return way
      }
      return [
        with("gradients sent during the pass") { _ in }, with("after the pass", overlaps: false) { _ in },
        with("clipped, smoothed") { ($0.clipNorm, $0.labelSmoothing) = (0.5, 0.1) },
        with("mixup and CutMix") { $0.mixing = Mixing(mixup: 0.4, cutmix: 1) },
        with("dropout and stochastic depth", dropout: true) { _ in },
        with("activations computed again", dropout: true) { $0.recomputesActivations = true },
        with("average, recalibrated") { ($0.averagingDecay, $0.recalibrationBatches) = (0.5, 2) },
      ]
    }()

    func training(_ source: (any ImageSource)? = nil, share: BatchShare) throws -> BatchLoader {
      try BatchLoader(
        source: source ?? toyDataset.training, batchSize: recipe.batchSize, resolution: 8, normalization: .grey,
        augmentation: recipe.augmentation, mixing: recipe.mixing, seed: 3, shuffles: true, dropsLast: true,
        share: share)
    }

    func trainer(
      _ group: ProcessGroup?, _ folder: TemporaryFolder? = nil, source: (any ImageSource)? = nil,
      events: Recorder = Recorder(), adapter: (any WidthAdapter)? = nil, stoppedAt stop: Int? = nil
    ) throws -> Trainer {
      weak var made: Trainer?
      let signal = { stop != nil && made?.step == stop! - 1 ? SIGTERM : nil }
      let cohort = Cohort(group, synchronizesNorms: synchronizes, overlaps: overlaps, signal: signal)
      let trainer = try Trainer(
        Model(toyNetwork(dropout: dropout), seed: 3), recipe: recipe,
        training: training(source, share: cohort.share),
        heldOut: toyDataset.heldOutLoader(batchSize: 24, share: cohort.share), seed: 3,
        events: EventStream([events]),
        checkpoints: folder.map { CheckpointStore(folder: $0.path, identity: name) },
        policy: CheckpointPolicy(seconds: 1e9), cancellation: Cancellation(signal: signal), cohort: cohort,
        adapter: adapter)
      made = trainer
      return trainer
    }
  }

  private func losses(_ events: Recorder) -> [Double] {
    events.events.compactMap { if case .epoch(let epoch) = $0 { epoch.trainLoss } else { nil } }
  }

  @Test("1, 2, 3 and 4 processes train the same network, but for rounding", arguments: Way.all)
  func sameMathematics(way: Way) throws {
    let alone = Recorder()
    let one = try way.trainer(nil, events: alone)
    let expected = try one.run()
    let weights = try (one.result.tensors + one.result.statistics.variances).map { try $0.floats }
    for count in [2, 3, 4] {
      let all = try inProcesses(count) { group in
        let events = Recorder()
        let trainer = try way.trainer(group, events: events)
        let result = try trainer.run()
        return (result, losses(events), try trainer.result.bits(), trainer.flops, trainer.result)
      }
      for each in all {
        // To the bit among each other.
        #expect(each.2 == all[0].2)
        #expect(each.1 == all[0].1)
        #expect(each.0.loss == all[0].0.loss && each.0.images == 64)
        #expect(each.3 == one.flops)
      }
      for (found, loss) in zip(all[0].1, losses(alone)) { #expect(abs(found - loss) < 1e-4 * loss) }
      #expect(abs(all[0].0.loss - expected.loss) < 1e-3 * expected.loss)
      let found = try (all[0].4.tensors + all[0].4.statistics.variances).map { try $0.floats }
      for (a, b) in zip(found, weights) {
        let scale = max(1e-2, b.map { abs($0) }.max() ?? 0)
        #expect(zip(a, b).allSatisfy { abs($0 - $1) < 2e-3 * scale })
      }
    }
  }

  @Test("What each process has reaches all, whatever its length")
  func gathered() throws {
    let words = ["", "eins", "zwei und zwanzig", "drei"]
    let found = try inProcesses(4) { group in
      try Cohort(group, synchronizesNorms: true, overlaps: true).gathered(words[group.rank])
    }
    #expect(found == Array(repeating: words, count: 4))
    #expect(try Cohort.single.gathered("alone") == ["alone"])
  }

  @Test(
    "Without synchronized normalization, processes hold the same weights, and the writer's running statistics count")
  func plainNorms() throws {
    var way = Way(name: "plain")
    way.synchronizes = false
    let found = try inProcesses(2) { group in
      let trainer = try way.trainer(group)
      return (try trainer.run().loss, try trainer.result.bits())
    }
    #expect(found[0] == found[1])
    let alone = try way.trainer(nil)
    #expect(try alone.run().loss != found[0].0)
  }

  @Test("A signal that one process receives stops all after the same step; others go on, as many as there then are")
  func elastic() throws {
    let way = Way.all[0]
    let folder = try TemporaryFolder()
    let stopped = try inProcesses(2) { group -> (Int, Int32) in
      // Only the second is told to stop; only the first keeps checkpoints.
      let trainer = try way.trainer(group, group.rank == 0 ? folder : nil, stoppedAt: group.rank == 1 ? 3 : nil)
      do { _ = try trainer.run() } catch let interrupted as Interrupted { return (trainer.step, interrupted.signal) }
      return (trainer.step, 0)
    }
    #expect(stopped.allSatisfy { $0 == (3, SIGTERM) })
    let straight = try inProcesses(2) { try way.trainer($0).run().loss }
    let later = try inProcesses(3) { group in
      let events = Recorder()
      let result = try way.trainer(group, group.rank == 0 ? folder : nil, events: events).run()
      #expect(events.events.contains(.resume(.init(step: 3))))
      return result.loss
    }
    #expect(Set(later).count == 1)
    #expect(abs(later[0] - straight[0]) < 1e-3)
    // What is complete is complete for one process, too.
    #expect(try way.trainer(nil, folder).run().loss == later[0])
  }

  @Test(
    "Processes that are stopped go on, as many as they were, to the bits of those that were not", arguments: [2, 3])
  func goesOn(count: Int) throws {
    let way = Way.all[0]
    let folder = try TemporaryFolder()
    let stopped = try inProcesses(count) { group -> Int in
      let trainer = try way.trainer(group, group.rank == 0 ? folder : nil, stoppedAt: group.rank == 1 ? 3 : nil)
      #expect(throws: Interrupted.self) { try trainer.run() }
      return trainer.step
    }
    #expect(stopped.allSatisfy { $0 == 3 })
    let resumed = try inProcesses(count) { group in
      let trainer = try way.trainer(group, group.rank == 0 ? folder : nil)
      return (try trainer.run().loss, try trainer.result.bits())
    }
    let straight = try inProcesses(count) { group in
      let trainer = try way.trainer(group)
      return (try trainer.run().loss, try trainer.result.bits())
    }
    for (one, other) in zip(resumed, straight) { #expect(one == other) }
  }

  /// Images of which one cannot be read.
  private struct Damaged: ImageSource {
    var whole: any ImageSource
    var index: Int
    var name: String { whole.name }
    var channels: Int { whole.channels }
    var classNames: [String] { whole.classNames }
    var uniformSize: ImageSize? { whole.uniformSize }
    var count: Int { whole.count }
    func label(at index: Int) -> Int { whole.label(at: index) }
    func place(at index: Int) -> String { whole.place(at: index) }
    func image(at index: Int, as request: (ImageSize) -> ImageRequest) throws -> PixelImage {
      guard index != self.index else { throw FileFailure(.badData, path: place(at: index), reason: "it is damaged") }
      return try whole.image(at: index, as: request)
    }
  }

  @Test("Who loses the others in a step keeps where it began, to the bit, and says so")
  func lost() throws {
    let way = Way.all[0]
    // The second process comes to an image of the third step that it cannot read, and ends.
    let second = BatchShare(rank: 1, size: 2)
    let stream = try way.training(share: second).epoch(0, startingAt: 2)
    let damaged = Damaged(whole: toyDataset.training, index: try #require(try stream.next()?.indices.last))
    let folder = try TemporaryFolder()
    let messages = try inProcesses(2, timeout: 3) { group -> String? in
      do {
        _ = try way.trainer(group, group.rank == 0 ? folder : nil, source: group.rank == 1 ? damaged : nil).run()
      } catch let failure as any Failure {
        return failure.message
      }
      return nil
    }
    #expect(messages[1]?.contains("it is damaged") == true)
    let message = try #require(messages[0])
    #expect(message.contains("rank 0 of 2") && message.contains("the checkpoint of step 2 is kept"))
    let resumed = try inProcesses(2) { group in
      let trainer = try way.trainer(group, group.rank == 0 ? folder : nil)
      return (try trainer.run().loss, try trainer.result.bits())
    }
    let straight = try inProcesses(2) { group in
      let trainer = try way.trainer(group)
      return (try trainer.run().loss, try trainer.result.bits())
    }
    #expect(resumed[0] == straight[0])
  }

  /// What cannot change any width.
  private struct Unable: WidthAdapter {
    var rules: AdaptationRules
    func carryOut(_ changes: [WidthChange], on model: Model, _ moments: [OptimizerMoment]) throws -> ResizedModel {
      throw FileFailure(.badData, path: "channels", reason: "they are damaged")
    }
  }

  @Test("Who loses the others while widths change keeps those that were, and the change is made once")
  func lostInChange() throws {
    var way = Way.all[0]
    way.recipe = ToyTraining.base
    (way.recipe.epochs, way.recipe.decay) = (30, .constant)
    var rules = AdaptationRules()
    (rules.multiple, rules.leastWidth, rules.largestDrift) = (1, 2, 0.4)
    let able = ChannelWidthAdapter(rules, seed: 4)
    let folder = try TemporaryFolder()
    let lost = try inProcesses(2, timeout: 3) { group -> Int in
      let trainer = try way.trainer(
        group, group.rank == 0 ? folder : nil, adapter: group.rank == 0 ? able : Unable(rules: rules))
      do { _ = try trainer.run() } catch is any Failure { return trainer.step }
      return 0
    }
    #expect(lost[0] > 0 && lost[0] == lost[1])
    let ends = try [folder, nil].map { folder in
      try inProcesses(2) { group in
        let events = Recorder()
        let trainer = try way.trainer(group, group.rank == 0 ? folder : nil, events: events, adapter: able)
        let result = try trainer.run()
        let changes = events.events.compactMap { if case .adaptation(let change) = $0 { change } else { nil } }
        #expect(changes.first?.step == lost[0])
        return (result.flops, changes.map(\.step), try trainer.result.bits())
      }[0]
    }
    #expect(ends[0] == ends[1])
  }

  @Test("A share of one image cannot be normalized by itself, which is said before anything is trained")
  func tooSmall() throws {
    var recipe = ToyTraining.base
    recipe.batchSize = 3
    let job = TrainingJob(network: try perceptron().resolved(), dataset: toyDataset, recipe: recipe)
    let messages = try inProcesses(2) { group -> String? in
      let folder = try TemporaryFolder()
      do { _ = try job.run(in: RunFolder(path: folder.path), cohort: Cohort(group)) } catch let failure as UsageFailure
      {
        return failure.message
      }
      return nil
    }
    #expect(messages.allSatisfy { $0?.contains("use batches of 4 or more") == true })
  }

  /// A normalization behind a linear layer: one number a sample and channel.
  private func perceptron() -> Network {
    Network(
      name: "perceptron", input: Shape(channels: 1, height: 8, width: 8),
      layers: [
        .conv("conv", 4, 8, padding: 0, from: "input"), .norm("bn", from: "conv"),
        .layer("flatten", .flatten, from: "bn"),
        .linear("fc", 4, from: "flatten"),
      ])
  }

  @Test("A batch that is smaller than the processes are many is refused by name")
  func tooMany() throws {
    var way = Way.all[0]
    way.recipe.batchSize = 2
    let failures = try inProcesses(3) { group -> String? in
      do { _ = try way.trainer(group) } catch let failure as UsageFailure { return failure.message }
      return nil
    }
    #expect(failures.allSatisfy { $0?.contains("`batch-size`") == true })
  }
}
