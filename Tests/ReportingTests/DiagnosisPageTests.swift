import Diagnosis
import Foundation
import Networks
import Records
import Testing

@testable import Reporting

/// The page of a diagnosis, of curves whose patterns are known.
@Suite struct DiagnosisPageTests {
  private static func statistics(_ variance: Double) -> NormStatistics? {
    // Two channels of this variance about a mean of 1.
    let half = (variance / 2).squareRoot()
    return NormStatistics([1 + half, 1 - half])
  }

  private static let rises = (0..<40).map { 0.02 + 0.2 / (1 + exp((12 - Double($0)) / 2)) }
  private static let falls = rises.enumerated().map { $1 * ($0 < 16 ? 1 : 0.25 + 0.75 * exp(-Double($0 - 16) / 4)) }

  /// Stage 3 of resnet20 is too narrow, the rest wide enough; of a second seed only where `isClear`.
  private static func summary(seeds: Int = 1, isClear: Bool = true) throws -> DiagnosisSummary {
    let network = try NetworkZoo.resolved(named: "resnet20", classes: 10)
    let sources = (0..<seeds).map { seed in
      let samples = network.widthGroups.flatMap { group in
        let isNarrow = group.stage == 2 && (seed == 0 || isClear)
        return (isNarrow ? falls : rises).enumerated().map { epoch, value in
          NormSample(epoch: epoch, group: group.id, mode: .product, statistics: statistics(value))
        }
      }
      let series = NormSeries(samples)
      return (DiagnosisSummary.Source(path: "runs/<seed-\(seed)>", seed: seed, epochs: series.epochs), series)
    }
    return DiagnosisSummary(network, sources)
  }

  @Test("The first sentence names the layers that are too narrow, and every group has a curve")
  func verdict() throws {
    let summary = try Self.summary()
    #expect(summary.headline == "4 width groups of 12 too narrow (layers 14–19); 8 wide enough (layers 1–13).")
    let html = try Report(summary).html(bundle: nil)
    #expect(html.contains(summary.headline) && html.contains("reconstructed"))
    #expect(html.contains("runs/&lt;seed-0&gt;") && !html.contains("<seed-0>"))
    #expect(try Report(summary).charts.count == 13)
    #expect(try Report(Self.summary()).html(bundle: nil) == html)
    // What a file holds is what was diagnosed.
    let again = try JSONDecoder().decode(DiagnosisSummary.self, from: JSONFile.encoder().encode(summary))
    #expect(try Report(again).html(bundle: nil) == html)
  }

  @Test("Seeds that disagree leave a group undecided, and the page says so")
  func seeds() throws {
    let agreed = try Self.summary(seeds: 3)
    #expect(agreed.groups.allSatisfy { $0.agreement == 1 })
    let split = try Self.summary(seeds: 2, isClear: false)
    let group = try #require(split.groups.first { $0.id == "layer3.0.conv1" })
    #expect(
      group.verdict == "undecided" && group.agreement == 0.5 && group.reason == "the seeds disagree: 1 × DS, 1 × IS")
    #expect(try Report(split).html(bundle: nil).contains("1 of 2"))
    #expect(split.headline.contains("4 undecided"))
  }

  @Test("Curves that the learning rate stopped are told")
  func stopped() throws {
    let network = try NetworkZoo.resolved(named: "resnet20", classes: 10)
    func remark(fallsAt milestone: Int) -> String? {
      let samples = network.widthGroups.flatMap { group in
        (0..<40).map { epoch in
          let reached = min(Double(epoch), 20)
          return NormSample(
            epoch: epoch, group: group.id, mode: .product, statistics: Self.statistics(0.02 + 0.01 * reached),
            learningRate: epoch == 0 ? nil : epoch < milestone ? 0.1 : 0.01)
        }
      }
      return DiagnosisSummary(network, [(.init(path: "run", epochs: Array(0..<40)), NormSeries(samples))]).remark
    }
    #expect(remark(fallsAt: 20)?.contains("12 of 12 curves stop where the learning rate falls, at epoch 20") == true)
    #expect(remark(fallsAt: 35) == nil)
    #expect(remark(fallsAt: 20)?.contains("before the first step of the learning rate") == true)
  }

  @Test("A projected network stands beside the full one, group by group")
  func projected() throws {
    var full = try Self.summary()
    try full.compare(with: Self.summary())
    let comparison = try #require(full.comparison)
    #expect(comparison.agreement.kappa == 1 && comparison.pairs.count == 12)
    #expect(try Report(full).html(bundle: nil).contains("agrees in 100"))
    #expect(try Report(full).charts.contains { $0.id == "drops" })
  }

  @Test("A sweep says whether the source's finding was seen")
  func sweep() throws {
    let classifier = PatternClassifier()
    func point(_ width: Int, _ values: [Double]) -> WidthSweepSummary.Point {
      .init(
        width: width,
        results: (0..<3).map { seed in
          func curve(_ group: String, _ values: [Double]) -> WidthSweepSummary.Curve {
            .init(group: group, values: values, finding: classifier.classify(values))
          }
          return .init(seed: seed, score: 80, curve: curve("first", values), further: [curve("second", Self.falls)])
        })
    }
    func html(_ points: [WidthSweepSummary.Point]) throws -> String {
      try Report(
        WidthSweepSummary(
          name: "sweep", model: "a model", dataset: "data", unit: "features", score: "accuracy (%)", claim: "It turns.",
          epochs: 39, points: points)
      ).html(bundle: nil)
    }
    #expect(
      try html([point(4, Self.falls), point(8, Self.rises)]).contains("Seen here: DS up to 4 features, IS from 8 on."))
    #expect(
      try html([point(4, Self.rises), point(8, Self.rises)]).contains("Not seen here: no width is found too narrow"))
    // Undecided beyond the turn is no turn; and where nothing can be told, nothing was not seen.
    #expect(
      try html([point(4, Self.falls), point(8, Self.rises), point(16, Array(repeating: 1, count: 39))])
        .contains("Seen here in part: DS at 4 features, IS at 8, but undecided at 16."))
    #expect(try html([point(4, [1, 2, 3]), point(8, [1, 2, 3])]).contains("Nothing can be told"))
    let both = try html([point(4, Self.rises), point(8, Self.falls)])
    #expect(both.contains("Not seen here as claimed"))
    // Groups beside the one that is shown have a table of their own.
    #expect(both.contains("second") && both.contains("DS in 3 of 3"))
  }
}
