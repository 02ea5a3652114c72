import Records
import Testing

@testable import Reporting

@Suite struct EventHistoryTests {
  @Test("The table behind curves has a row for each epoch that there is, whatever its number")
  func epochRows() {
    let epochs = [0, 1 << 32].map {
      RunEvent.Epoch(epoch: $0, step: 1, trainLoss: 1, loss: 1, top1: 50, top5: nil, learningRate: 0.1, seconds: 1)
    }
    let table = PageParts.epochs([TrainingCurve(series: "uniform", seed: 0, epochs: epochs)])
    #expect(table.rows.map { $0.first } == ["1", "4294967297"])
  }

  private func step(_ step: Int, loss: Double) -> TimedEvent {
    TimedEvent(
      time: 0,
      event: .step(.init(step: step, totalSteps: 100, epoch: 0, loss: loss, learningRate: 0, imagesPerSecond: 0)))
  }

  @Test func stepsAfterAResumePointAreSuperseded() {
    let history = EventHistory([
      step(10, loss: 1), step(20, loss: 2), step(25, loss: 3), TimedEvent(time: 1, event: .resume(.init(step: 12))),
      step(30, loss: 4),
    ])
    #expect(history.steps.map(\.step) == [10, 30])
    #expect(history.resumes == 1)
  }

  @Test func runThatBeganAnewReplacesWhatItRepeats() {
    let history = EventHistory([
      step(10, loss: 1), step(20, loss: 2), step(10, loss: 5), step(20, loss: 6), step(20, loss: 7),
    ])
    #expect(history.steps.map(\.loss) == [5, 7])
  }

  @Test(
    "Of very many records, evenly spread ones are kept, and always the first and the last",
    arguments: [1, 8, 9, 100, 1000])
  func thinned(count: Int) {
    var series = ThinnedSeries<Int>(limit: 8) { $0 }
    for step in 0..<count { series.append(step) }
    let values = series.values
    #expect(values.count <= 10)
    #expect(values.first == 0 && values.last == count - 1)
    let gaps = Set(zip(values.dropLast(), values.dropFirst().dropLast()).map { $1 - $0 })
    #expect(gaps.count <= 1)
    if count <= 8 { #expect(values == Array(0..<count)) }
    // A run that goes on from an earlier step.
    series.remove { $0 > count / 2 }
    series.append(count / 2 + 1)
    #expect(series.values.allSatisfy { $0 <= count / 2 + 1 } && series.values.last == count / 2 + 1)
  }

  @Test func warningsAreSaidOnceAndCounted() {
    let warning = TimedEvent(time: 0, event: .warning(.init(message: "slow")))
    let history = EventHistory([warning, warning])
    #expect(history.warnings == [.init(message: "slow", count: 2)])
  }

  @Test func resumeReopensAFinishedRun() {
    let done = TimedEvent(time: 0, event: .done(.init(top1: 1, top5: 2, loss: 3, seconds: 4, flops: 5)))
    #expect(EventHistory([done]).done != nil)
    #expect(EventHistory([done, TimedEvent(time: 1, event: .resume(.init(step: 3)))]).done == nil)
  }
}
