import Methods
import Testing

@testable import WidthSearch

@Suite struct GlobalRankingTests {
  // Worked by hand.
  private func ranking(minimum: Int = 1) -> GlobalRanking {
    GlobalRanking(
      scales: [[[0.9, -0.1, 0.5, 0.3]], [[0.05, 0.6, -0.2, 0.8]]], score: .mean, minimums: [minimum, minimum])
  }

  @Test("The original percentile, with its strict comparison, prunes 5 of 8")
  func percentile() {
    #expect(ranking().widths(pruning: 0.5) == [1, 2])
    #expect(ranking().widths(pruning: 0) == [4, 3])
    #expect(ranking(minimum: 2).widths(pruning: 0.99) == [2, 2])
  }

  @Test("Channels are dropped one by one until the cost is within the budget")
  func budget() {
    func cost(_ widths: [Int]) -> Int { widths[0] + widths[0] * widths[1] }
    #expect(ranking().widths(budget: 20, cost: cost) == [4, 4])
    #expect(ranking().widths(budget: 16, cost: cost) == [4, 3])
    #expect(ranking().widths(budget: 12, cost: cost) == [3, 3])
    #expect(ranking().widths(budget: 9, cost: cost) == [3, 2])
    #expect(ranking().widths(budget: 8, cost: cost) == [2, 2])
    #expect(ranking().order.prefix(4).map(\.group) == [1, 0, 1, 0])
  }

  @Test("No group falls below its minimum, whatever the budget")
  func minimum() {
    #expect(ranking(minimum: 3).widths(budget: 0) { $0[0] * $0[1] } == [3, 3])
    #expect(ranking(minimum: 9).widths(budget: 0) { $0[0] * $0[1] } == [4, 4])
  }

  @Test("Tied scales become one score, and equal scores go in order")
  func ties() {
    let scales = [[[0.2, -0.4], [0.6, 0.0]]]
    func scores(_ score: GlobalRanking.Score) -> [[Double]] {
      GlobalRanking(scales: scales, score: score, minimums: [1]).scores
    }
    #expect(scores(.max) == [[0.6, 0.4]])
    expectClose(scores(.mean)[0], [0.4, 0.2])
    expectClose(scores(.sum)[0], [0.8, 0.4])
    let equal = GlobalRanking(scores: [[1, 1], [1]], minimums: [1, 1])
    #expect(equal.order.map(\.group) == [0, 0, 1] && equal.order.map(\.channel) == [0, 1, 0])
  }
}
