import Foundation
import ImageFiles
import Methods
import Networks
import Records
import StudyModels
import Support
import Testing
import Transfer
import WidthSearch

@testable import Experiments

@Suite struct ProjectionChooserTests {
  private static func finding() throws -> WidthFinding {
    let network = try NetworkZoo.network(named: "resnet20", classes: 10, resolution: 32).scalingWidth(
      by: 0.5, divisor: 2)
    var recipe = try Recipe.named("small")
    (recipe.epochs, recipe.batchSize) = (600, 100)
    let subject = try Subject(
      target: network.resolved(), dataset: PlantedImages.dataset(), recipe: recipe, divisor: 2)
    let amount = try network.cost().macs
    return WidthFinding(
      subject: subject, optimizer: DMCP(), budgets: try Budget.parse(["\(amount)"], of: network.resolved()))
  }

  /// Seconds of a machine on which time grows with a power of the MACs.
  private static func pace(_ job: SearchJob, power: Double) throws -> SearchPace {
    SearchPace(fixed: 1, perStep: pow(Double(try job.scale().supernetMACs) / 1e7, power))
  }

  @Test("The largest search that fits is found, whatever time grows with", arguments: [0.5, 0.75, 1])
  func fits(power: Double) throws {
    let finding = try Self.finding()
    let ladder = ProjectionLadder(
      for: finding.subject.target, divisor: 2, steps: try finding.searches()[0].steps()
    ).rungs
    #expect(ladder.count > 5)
    let truth = try ladder.map { rung -> Double in
      var own = finding
      own.projection = rung
      let job = try own.searches()[0]
      return try Self.pace(job, power: power).seconds(steps: job.steps())
    }
    var time = 0.0
    for (index, seconds) in truth.enumerated() {
      for budget in [index == 0 ? 10 * seconds : 0.5 * (seconds + truth[index - 1])] {
        var measured: [Int] = []
        let choice = try ProjectionChooser(
          finding: finding, budget: budget,
          pace: {
            measured.append(try $0.scale().supernetMACs)
            time += 1
            return try Self.pace($0, power: power)
          }, clock: { time }
        ).choose()
        #expect(choice.projection == ladder[index])
        #expect(abs(choice.predictedSeconds - seconds) < 1e-9 * seconds)
        #expect(Set(measured).count == measured.count, "a rung was timed twice")
        #expect(choice.measuringSeconds == Double(measured.count))
        #expect(choice.rungs.map(\.projection) == ladder)
        #expect(choice.rungs.count(where: \.isMeasured) == measured.count)
      }
    }
  }

  @Test("A time that nothing fits into is refused with the least that it would take")
  func tooShort() throws {
    let chooser = ProjectionChooser(
      finding: try Self.finding(), budget: 1, pace: { _ in SearchPace(fixed: 0, perStep: 1) }, clock: { 0 })
    let refusal = #expect(throws: UsageFailure.self) { try chooser.choose() }
    #expect(refusal?.description.contains("still takes about") == true, "\(refusal?.description ?? "")")
  }

  @Test("A choice that a folder keeps is taken, and nothing is timed")
  func kept() throws {
    let path = NSTemporaryDirectory() + "width-transfer-tests-\(UUID().uuidString)"
    try AtomicFile.createFolder(path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = RunFolder(path: path)
    let projection = Projection(width: 0.5, resolution: 16)
    let choice = ProjectionChoice(
      budget: 60, projection: projection, predictedSeconds: 50, measuringSeconds: 1,
      rungs: [.init(projection: projection, counted: 8, seconds: 50, isMeasured: true)])
    try choice.write(folder)
    let found = try Self.finding().fitting(60, in: folder, willMeasure: { Issue.record("timed") }) { _ in
      Issue.record("chosen")
    }
    #expect(found.projection == projection && found.predictedSeconds == 50)
    try Data("{}".utf8).write(to: URL(fileURLWithPath: folder.projection))
    #expect(throws: FileFailure.self) { try Self.finding().fitting(60, in: folder) }
  }
}
