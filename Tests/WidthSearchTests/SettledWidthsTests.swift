import Foundation
import Methods
import Records
import Support
import Testing

@testable import WidthSearch

@Suite struct SettledWidthsTests {
  /// A search of 100 steps that rests for 50; then ln w goes towards its end exponentially, or not at all.
  private static func history(rate: Double, way: Double = 0.3, until end: Int) -> [WidthsFile.HistoryPoint] {
    (0...end).map { step in
      let moved = step <= 50 ? 0 : way * (1 - exp(-rate * Double(step - 50)))
      return .init(step: step, macs: 1, widths: ["a": 10 * exp(moved), "b": 20 * exp(-moved)])
    }
  }

  private let settled = SettledWidths(drift: 0.25, totalSteps: 100, start: 50)

  @Test("Widths have settled when the last tenth of the steps is a quarter of the way or less")
  func criterion() {
    // After t steps the last ten are (e^(10 r) − 1) / (e^(r t) − 1) of the way: a quarter at t = ln(4 e^(10 r) − 3) / r.
    let rate = 0.1
    let first = (51...100).first { settled.isSettled(Self.history(rate: rate, until: $0)) }
    #expect(first == 50 + Int((log(4 * exp(10 * rate) - 3) / rate).rounded(.up)))
    // Along a line it is a quarter after forty steps.
    let line = (51...100).first { end in
      settled.isSettled(
        (0...end).map { .init(step: $0, macs: 1, widths: ["a": exp(0.01 * Double(max(0, $0 - 50)))]) })
    }
    #expect(line == 90)
  }

  @Test("What has not moved, or has only begun to, has not settled")
  func unmoved() {
    #expect(!settled.isSettled(Self.history(rate: 1, way: 0, until: 90)))
    #expect(!settled.isSettled(Self.history(rate: 1, way: 0.005, until: 90)))
    #expect(!settled.isSettled(Self.history(rate: 5, until: 55)))
    #expect(!settled.isSettled([]))
  }

  private func search(_ drift: Double?) -> ToySearch {
    var search = ToySearch()
    search.recipe.epochs = 10
    search.settings.settledDrift = drift
    return search
  }

  @Test("A search that stops when its widths have settled went the same way until then, resumed or not")
  func stops() throws {
    let whole = try search(nil).run()
    #expect(whole.evidence?.values["steps"] == nil)
    let short = try search(0.6).run()
    let steps = try #require(short.evidence?.values["steps"])
    #expect(short.evidence?.values["plannedSteps"] == 30)
    #expect(steps > 15 && steps < 30)
    let same = try #require(whole.history.first { Double($0.step) == steps })
    #expect(same.widths == short.channels && short.history.last?.step == Int(steps))
    #expect(short.cost.flops < whole.cost.flops)
    for stop in [Int(steps) - 2, Int(steps)] {
      let folder = try TemporaryFolder()
      #expect(throws: Interrupted.self) { try search(0.6).run(folder, interruptedAt: stop) }
      expectEqual(try search(0.6).run(folder), short)
    }
  }
}
