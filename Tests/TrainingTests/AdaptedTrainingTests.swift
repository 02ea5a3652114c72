import Diagnosis
import Foundation
import Merging
import Methods
import Networks
import Records
import Support
import Testing

@testable import Training

/// Trainings whose widths change under way.
@Suite struct AdaptedTrainingTests {
  private func job(_ optimizer: Recipe.Optimizer = .sgd) throws -> TrainingJob {
    var recipe = ToyTraining.base
    recipe.epochs = 60
    recipe.decay = .constant
    recipe.optimizer = optimizer
    if optimizer != .sgd { recipe.learningRate = 0.01 }
    var rules = AdaptationRules()
    (rules.multiple, rules.leastWidth, rules.largestDrift) = (1, 2, 0.4)
    return TrainingJob(
      network: try toyNetwork().resolved(), dataset: toyDataset, recipe: recipe, seed: 4, tracks: [.weightNorms],
      adapter: ChannelWidthAdapter(rules, seed: 4))
  }

  private func changes(_ folder: RunFolder) throws -> [RunEvent.Adaptation] {
    try EventLog.read(path: folder.events).compactMap {
      if case .adaptation(let change) = $0.event { change } else { nil }
    }
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  @Test(
    "A training whose widths change ends, stopped after a change or not, with the same bits",
    arguments: [.sgd, .adam] as [Recipe.Optimizer])
  func resumes(_ optimizer: Recipe.Optimizer) throws {
    let place = try TemporaryFolder()
    let (whole, parts) = (RunFolder(path: place.file("whole")), RunFolder(path: place.file("parts")))
    let job = try job(optimizer)
    let result = try job.run(in: whole)
    let first = try #require(try changes(whole).first)
    #expect(throws: Interrupted.self) {
      try job.run(
        in: parts,
        cancellation: Cancellation(signal: { (try? changes(parts))?.isEmpty == false ? SIGINT : nil }))
    }
    #expect(try changes(parts) == [first])
    let resumed = try job.run(in: parts)
    #expect(try bytes(parts.model) == bytes(whole.model))
    #expect(try bytes(parts.weightNorms.series) == bytes(whole.weightNorms.series))
    #expect(try changes(parts) == changes(whole))
    #expect(resumed.top1 == result.top1 && resumed.flops == result.flops)
    // The last widths are the result's, the file's, the weights' and the diagnosis's.
    let widths = try WidthsFile(path: whole.widths)
    #expect(widths.macs == result.macs && widths.parameters == result.parameters)
    #expect(widths.widths != job.network.widths)
    #expect(try TrackedTraining(whole).network.widths == widths.widths)
    let flops = try #require(result.flops)
    #expect(flops > 0 && flops != 3 * Double(result.macs) * Double(60 * 128))
    _ = DiagnosisSummary([try TrackedTraining(whole)])
    // Another training than one of fixed widths.
    var fixed = job
    fixed.adapter = nil
    let refused = #expect(throws: UsageFailure.self) { try fixed.run(in: whole) }
    #expect(refused?.message.contains("adaptation") == true)
  }

  @Test("A training whose first epochs were not followed is not followed from the middle")
  func beginsLate() throws {
    let folder = RunFolder(path: try TemporaryFolder().file("run"))
    var job = try job()
    (job.adapter, job.recipe.epochs) = (nil, 4)
    job.tracks = []
    func run(_ job: TrainingJob, stoppedAfter epochs: Int? = nil) throws {
      let events = Recorder()
      _ = try job.run(
        in: folder, sinks: [events],
        cancellation: Cancellation(signal: {
          let ended = events.events.count { if case .epoch = $0 { true } else { false } }
          return epochs != nil && ended >= epochs! ? SIGINT : nil
        }))
    }
    #expect(throws: Interrupted.self) { try run(job, stoppedAfter: 2) }
    job.tracks = [.weightNorms]
    let refused = #expect(throws: UsageFailure.self) { try run(job) }
    #expect(refused?.message.contains("were not followed in epoch 0") == true)
    job.tracks = []
    try run(job)
  }

  @Test("An average of weights does not go with widths that change")
  func refusesAverages() throws {
    var job = try job()
    job.recipe.averagingDecay = 0.9
    let refused = #expect(throws: UsageFailure.self) { try job.validate() }
    #expect(refused?.message.contains("`averaging-decay`") == true)
  }
}
