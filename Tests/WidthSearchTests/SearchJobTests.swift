import Foundation
import ImageFiles
import Methods
import Networks
import Records
import Support
import Testing

@testable import WidthSearch

@Suite struct SearchJobTests {
  private func job(seed: Int = 0) throws -> SearchJob {
    let dataset = Dataset(
      name: "toy", training: toyImages, heldOut: toyImages, resolution: 8, normalization: .grey)
    return SearchJob(
      network: try toyNetwork().resolved(), dataset: dataset, dataFraction: 0.5, optimizer: DMCP(ToySearch().settings),
      targets: [try toyNetwork().cost().macs], recipe: ToySearch().recipe, divisor: 1, seed: seed)
  }

  @Test("A search leaves its result and events, and a second call returns the same without work")
  func completes() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(path: folder.path + "/search")
    let result = try job().run(in: run)[0]
    #expect(result.cost.scale.trainingImages == 32)  // half of 96, full batches of 32 only
    let events = try Data(contentsOf: URL(fileURLWithPath: run.events))
    let again = Recorder()
    #expect(try job().run(in: run, sinks: [again])[0] == result)
    #expect(again.events.isEmpty)
    #expect(try Data(contentsOf: URL(fileURLWithPath: run.events)) == events)
  }

  @Test("Another search's folder is refused and not touched, finished or not")
  func otherRun() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(path: folder.path + "/search")
    _ = try job().run(in: run)
    let events = try Data(contentsOf: URL(fileURLWithPath: run.events))
    #expect(throws: UsageFailure.self) { try job(seed: 1).run(in: run) }
    try FileManager.default.removeItem(atPath: run.result)
    let failure = #expect(throws: UsageFailure.self) { try job(seed: 1).run(in: run) }
    #expect(failure?.message.contains("its training.seed is 0, asked for is 1") == true, "\(failure?.message ?? "")")
    #expect(try Data(contentsOf: URL(fileURLWithPath: run.events)) == events)
  }

  @Test("A budget that pruning cannot be needed for is refused, and a class that would have no image to train on")
  func refusals() throws {
    var job = try job()
    job.targets = [100_000_000]
    let wide = #expect(throws: UsageFailure.self) { try job.validate() }
    #expect(wide?.message.contains("range.maximum") == true, "\(wide?.message ?? "")")
    var settings = ToySearch().settings
    settings.range.minimum = 0.8
    job.optimizer = DMCP(settings)
    job.targets = [try toyNetwork().cost().macs / 4]
    let narrow = #expect(throws: UsageFailure.self) { try job.validate() }
    #expect(narrow?.message.contains("range.minimum") == true, "\(narrow?.message ?? "")")
    settings.range = WidthRange(minimum: 0.5, maximum: 1.5, offset: 2)
    job.optimizer = DMCP(settings)
    let coarse = #expect(throws: UsageFailure.self) { try job.validate() }
    #expect(coarse?.message.contains("leaves one width") == true, "\(coarse?.message ?? "")")
    job.optimizer = MorphNet()
    try job.validate()
    job.optimizer = MorphNet(.init(shrinkTo: 1))
    #expect(throws: UsageFailure.self) { try job.validate() }
    job = try self.job()
    job.optimizer = AutoSlim()
    try job.validate()
    job.dataFraction = 0.04  // one image a class
    let few = #expect(throws: UsageFailure.self) { try job.validate() }
    #expect(few?.message.contains("class a none is left") == true, "\(few?.message ?? "")")
  }

  @Test("A search that was killed before it wrote its result ends the same")
  func resumed() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(path: folder.path + "/search")
    let result = try job().run(in: run)[0]
    try FileManager.default.removeItem(atPath: run.result)
    let events = Recorder()
    let again = try job().run(in: run, sinks: [events])[0]
    #expect(
      again.channels == result.channels && again.history == result.history && again.cost.flops == result.cost.flops)
    #expect(events.events.contains(.resume(.init(step: 2))))
  }
}
