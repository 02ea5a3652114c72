import Diagnosis
import Foundation
import Networks
import Records
import Support
import Testing

@testable import Reporting

struct MergeSweepPageTests {
  /// Four layers that are wide enough and four that are too narrow, of which so much is left at the two thresholds.
  private func summary(wide: [Double], narrow: [Double], top1: [Double] = [90, 50]) throws -> MergeSweepSummary {
    let network = try NetworkZoo.network(named: "vgg16_cifar", classes: 10, resolution: 32).resolved()
    let state = MergeRecord.State(network, top1: 91, loss: 0.3)
    func point(_ threshold: Double, _ index: Int) -> MergeSweepSummary.Point {
      var after = state
      after.top1 = top1[index]
      after.parameters /= 1 + index
      var groups: [(id: String, pattern: WidthPattern, drop: Double?, left: Double)] = []
      for number in 0..<4 {
        // No two alike, which the test of ranks would have to share out.
        let more = Double(number) / 500
        groups.append(("wide-\(number)", .increaseToSaturate, 0, wide[index] + more))
        groups.append(("narrow-\(number)", .decreaseToSaturate, 0.5, narrow[index] + more))
      }
      return .init(
        threshold: threshold, after: after,
        survival: MergeSurvival(groups))
    }
    return MergeSweepSummary(
      name: "matthew-t2", network: network.name, dataset: "data", claim: "It takes.", epochs: 3,
      settings: MergeSettings(),
      groups: point(0.1, 1).survival.groups.enumerated().map {
        .init(id: $1.id, numbers: [$0 + 1], width: 10, pattern: $1.pattern, drop: $1.drop)
      },
      members: (0..<2).map { .init(seed: $0, before: state, points: [point(0.05, 0), point(0.1, 1)]) })
  }

  @Test("The verdict follows what is left at the usual threshold, either way, or says that it cannot be told")
  func verdict() throws {
    #expect(
      try summary(wide: [0.9, 0.4], narrow: [1, 0.95]).verdict
        == "Seen here: at β = 0.1 layers that are wide enough keep 40.3 % of their channels, those that are too narrow "
        + "95.3 % (Mann-Whitney p = 0.029, 0.029).")
    #expect(try summary(wide: [1, 0.9], narrow: [0.9, 0.3]).verdict.hasPrefix("The contrary is seen here"))
    #expect(try summary(wide: [1, 0.9], narrow: [1, 0.9]).verdict.hasPrefix("It cannot be told here: at β = 0.1"))
  }

  @Test("The page has a row for each threshold, and names the largest that costs little with every seed")
  func page() throws {
    let found = try summary(wide: [0.9, 0.4], narrow: [1, 0.95])
    #expect(found.harmlessThreshold == 0.05)
    #expect(try summary(wide: [1, 1], narrow: [1, 1], top1: [80, 90]).harmlessThreshold == nil)
    let report = Report(found)
    #expect(report.charts.map(\.id) == ["merged-parts", "merged-accuracies"])
    let html = try report.html(bundle: nil)
    #expect(html.contains("Left at β = 0.05") && html.contains("50.0 %") && html.contains("91.00"))
  }
}
