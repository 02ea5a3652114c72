import Foundation
import Networks
import Records
import Support
import Testing
import Transfer

@testable import Reporting

@Suite struct MethodsPageTests {
  private static let ids = ["method-accuracies", "accuracy-against-cost", "method-widths", "width-similarity"]

  private func report(_ summary: ComparisonSummary) throws -> Report {
    try SyntheticRun.withFolder { folder in
      try SyntheticComparison.write(summary, to: folder)
      return try Report([folder])
    }
  }

  // The rows of a chart's own data.
  private func rows(_ chart: Chart) throws -> [JSONValue] {
    guard case .array(let rows) = try #require(chart.specification["data"]?["values"]) else { return [] }
    return rows
  }

  // The made-up comparison with given results.
  private func summary(_ top1: [(String, ComparisonSummary.Mode, [Double])]) -> ComparisonSummary {
    var summary = SyntheticComparison().summary
    summary.arms = top1.map { algorithm, mode, values in
      let members = values.enumerated().map { seed, value in
        var member = SyntheticComparison().member(algorithm, mode, seed: seed)
        member.result.top1 = value
        return member
      }
      return .init(algorithm: algorithm, mode: mode, members: members)
    }
    return summary
  }

  private func headline(_ summary: ComparisonSummary) -> String {
    MethodsVerdict(arms: summary.methodArms, methods: summary.searchedMethods).headline
  }

  @Test func comparisonIsRecognizedByItsFile() throws {
    try SyntheticRun.withFolder { folder in
      let comparison = SyntheticComparison()
      try comparison.write(to: folder)
      let record = try RunRecord(folder)
      guard case .comparison(let summary) = record.kind else {
        Issue.record("the folder is not taken for a comparison")
        return
      }
      #expect(summary == comparison.summary)
      #expect(record.setting("recipe.batchSize") == "128")
    }
  }

  @Test("Searches are set beside each other, each once, however many seeds took it")
  func agreement() throws {
    var summary = SyntheticComparison().summary
    summary.groups = ["a", "b", "c"].map { GroupRecord(id: $0, stage: nil, original: 10) }
    func arm(_ mode: ComparisonSummary.Mode, _ searches: [[Int]], seeds: Int) -> ComparisonSummary.Arm {
      let members = (0..<seeds).map { seed in
        var member = SyntheticComparison().member("dmcp", mode, seed: seed)
        let index = seed % searches.count
        member.widths = Widths(Dictionary(uniqueKeysWithValues: zip(["a", "b", "c"], searches[index])))
        member.folder = "\(mode.rawValue)/dmcp/seed-\(seed)"
        member.searchFolder = seed == index ? nil : "\(mode.rawValue)/dmcp/seed-\(index)/search"
        return member
      }
      return .init(algorithm: "dmcp", mode: mode, members: members)
    }
    summary.arms = [
      arm(.direct, [[8, 10, 12], [8, 10, 12]], seeds: 5), arm(.transferred, [[8, 10, 12], [12, 10, 8]], seeds: 3),
    ]
    let arms = summary.methodArms
    let direct = try #require(SearchAgreement(of: arms[0], groups: summary.groups))
    #expect(direct.searches == 2 && direct.correlations.count == 1)
    #expect(abs(try #require(direct.mean) - 1) < 1e-12)
    let transferred = try #require(SearchAgreement(of: arms[1], groups: summary.groups))
    #expect(abs(try #require(transferred.mean) + 1) < 1e-12)
    let both = SearchAgreement(of: arms[1], with: arms[0], groups: summary.groups)
    #expect(both.correlations.count == 4)
    #expect(abs(try #require(both.mean)) < 1e-12)
    let html = try report(summary).html(bundle: nil)
    #expect(html.contains("How far searches agree") && html.contains("−1.00 to 1.00"))
    // One search has nothing to agree with; a single kind of search has itself.
    summary.arms[0].members = [summary.arms[0].members[0]]
    #expect(SearchAgreement(of: summary.methodArms[0], groups: summary.groups) == nil)
    summary.arms.removeFirst()
    #expect(try report(summary).html(bundle: nil).contains("How far searches agree"))
  }

  @Test("Every network stands beside every other, where there are more than two")
  func pairs() throws {
    let arms: [(String, ComparisonSummary.Mode, [Double])] = [
      ("uniform", .control, [70, 71, 72]), ("random", .control, [60, 62, 64]), ("dmcp", .direct, [71, 73, 72]),
    ]
    func cells(_ count: Int) throws -> String? {
      let html = try report(summary(Array(arms.prefix(count)))).html(bundle: "/**/")
      return html.components(separatedBy: "Every network beside every other").last.flatMap {
        html.contains("Every network beside every other") ? $0 : nil
      }
    }
    #expect(try cells(2) == nil)
    let table = try #require(try cells(3))
    // Three pairs: 60 − 70, 62 − 71, 64 − 72; 1, 2, 0; 11, 11, 8.
    for value in ["−9.00", "−11.48 to −6.52", "(+1.00)", "−1.48 to +3.48", "+10.00", "+5.70 to +14.30"] {
      #expect(table.contains(value), "the table lacks \(value)")
    }
  }

  @Test func pageShowsEveryArmAndChart() throws {
    let report = try report(SyntheticComparison().summary)
    #expect(report.title == "Width-search methods on resnet20")
    #expect(report.charts.map(\.id) == Self.ids)
    let html = try report.html(bundle: "/**/")
    for text in [
      "DMCP direct", "Network Slimming transferred", "Random", "layer3.2.conv1", "width-transfer compare",
      "Batch size", "Off budget", "Projected data", "Pearson",
    ] { #expect(html.contains(text), "the page lacks \(text)") }
    #expect(html.contains("\u{A0}±\u{A0}"))
  }

  @Test func chartsHaveARowForEverything() throws {
    let charts = try report(SyntheticComparison().summary).charts
    #expect(try rows(charts[0]).count == 10 * 3)
    #expect(try rows(charts[1]).count == 8)
    #expect(try rows(charts[2]).count == 8 * 12)
    #expect(try rows(charts[3]).count == 8 * 8)
  }

  @Test func verdictsFollowTheNoise() {
    let uniform = ("uniform", ComparisonSummary.Mode.control, [90, 91, 92.0])
    #expect(
      headline(summary([uniform, ("dmcp", .direct, [95, 96.1, 96.9])]))
        == "DMCP direct (+5.00\u{A0}pt) is better than uniform widths beyond the noise.")
    #expect(
      headline(summary([uniform, ("dmcp", .direct, [85, 86.1, 86.9]), ("random", .control, [90, 91, 92])]))
        == "Of 2 sets of widths, DMCP direct (−5.00\u{A0}pt) is worse than uniform widths beyond the noise; "
        + "one lies within the noise."
    )
    #expect(
      headline(summary([uniform, ("dmcp", .direct, [91, 90.5, 93]), ("morphnet", .direct, [90, 91, 92])]))
        == "None of 2 sets of widths differs from the uniform ones beyond the noise.")
    #expect(headline(summary([("dmcp", .direct, [91])])).hasPrefix("There is no uniform network"))
  }

  @Test func transferIsJudgedAgainstDirectSearch() {
    let arms: [(String, ComparisonSummary.Mode, [Double])] = [
      ("uniform", .control, [90, 91, 92]), ("dmcp", .direct, [95, 96, 97]), ("dmcp", .transferred, [92, 92.5, 93]),
      ("autoslim", .direct, [91, 92, 93]), ("autoslim", .transferred, [91, 92, 93]),
    ]
    let text = headline(summary(arms))
    #expect(
      text.contains(
        "Beyond the noise, transferred widths are worse for DMCP (−3.50\u{A0}pt) than direct ones; for 1 other method"))
    #expect(text.contains("the compute of transferred search"))
    #expect(
      headline(summary([arms[0], arms[3], arms[4]])).contains("transferred and its direct widths, no difference"))
  }

  @Test func aClaimHoldsFailsOrStaysOpen() {
    func words(_ direct: [Double], _ transferred: [Double], uniform: [Double] = [80, 81, 82]) -> String? {
      let summary = summary([
        ("uniform", .control, uniform), ("dmcp", .direct, direct), ("dmcp", .transferred, transferred),
      ])
      return TransferClaim.table(summary.searchedMethods, uniform: summary.methodArms.first)?.rows.first?.last
    }
    #expect(words([90, 91, 92], [90.1, 91, 92.1]) == "held")
    #expect(words([90, 91, 92], [89, 90.1, 91]) == "did not hold: worse than direct widths")
    // Clearly behind, and by less than matters.
    #expect(words([90, 91, 92], [89.9, 90.9, 91.89]) == "held: behind direct widths, by less than 0.5")
    // As good as direct ones, which says nothing while it is open whether uniform ones are better, or there are none.
    #expect(
      words([90, 91, 92], [90.1, 91, 92.1], uniform: [88, 92.5, 94])
        == "cannot be told with 3 seeds; at such differences 102 would tell")
    let alone = summary([("dmcp", .direct, [90, 91, 92]), ("dmcp", .transferred, [90.1, 91, 92.1])])
    #expect(
      TransferClaim.table(alone.searchedMethods, uniform: nil)?.rows.first?.last
        == "cannot be told without a uniform network of the same seeds")
    #expect(
      words([90, 91, 92], [90.1, 91, 92.1], uniform: [93, 94, 95]) == "did not hold: worse than uniform widths")
    // Differences −1, 0 and 1, of deviation 1: t is 2.10 for 18 pairs, 2.10 · 1 / √18 = 0.496, and for 17 it is 0.514.
    #expect(words([90, 91, 92], [89, 91, 93]) == "cannot be told with 3 seeds; at such differences 18 would tell")
    // −0.4 with a deviation of 1: below 0 or above −0.5, and the nearer end is 0.4 away, 2.05 · 1 / √27 = 0.395.
    #expect(
      words([90, 91, 92], [88.6, 90.6, 92.6]) == "cannot be told with 3 seeds; at such differences 27 would tell")
    #expect(words([90, 91], [90.5, 91.5], uniform: [80, 81]) == "cannot be told: 2 seeds that differ by the same")

    #expect(words([90], [95], uniform: [90]) == "cannot be told: one seed")
    #expect(words([90, 91, 92], [60, 91, 120])?.hasSuffix("the seeds lie too far apart") == true)
    #expect(TransferClaim.table(summary([("uniform", .control, [90])]).searchedMethods, uniform: nil) == nil)
  }

  @Test("Networks that were shrunk or stacked in several ways are told apart, each with its number of pairs")
  func ways() throws {
    var summary = summary([
      ("uniform", .control, [90, 91]), ("dmcp", .direct, [91, 91.5, 92, 93]), ("dmcp", .transferred, [91, 92, 92.5]),
      ("dmcp", .transferred, [91, 92, 93.5]),
    ])
    for (index, stacking) in [(2, Stacking.averageBlock), (3, .lastBlock)] {
      summary.arms[index].projection = Projection(depth: 0.5)
      summary.arms[index].stacking = stacking
    }
    #expect(
      summary.methodArms.map(\.label) == [
        "Uniform", "DMCP direct", "DMCP transferred, depth 0.5×, average-block",
        "DMCP transferred, depth 0.5×, last-block",
      ])
    let html = try report(summary).html(bundle: nil)
    #expect(html.contains(">transferred, depth 0.5×, last-block</td>"))
    // Two seeds are shared with uniform, of three or four.
    #expect(html.matches(of: /<th[^>]*>Pairs<\/th>/).count >= 3)
  }

  @Test("What is missing or failed is named, and no seed in common is no network alone")
  func incomplete() throws {
    var summary = summary([("uniform", .control, [90]), ("dmcp", .direct, [91])])
    summary.arms[1].members[0].seed = 3
    summary.missing = ["direct/dmcp/seed-0"]
    summary.failed = [FailedPart(name: "direct/dmcp/seed-1", reason: "the weights are no longer finite numbers")]
    #expect(headline(summary) == "No seed has both the uniform network and another one yet.")
    let html = try report(summary).html(bundle: nil)
    #expect(html.contains("1 outcome of 3 are missing, and what is shown may change: direct/dmcp/seed-0."))
    #expect(html.contains("What could not be brought to an end: direct/dmcp/seed-1: the weights are no longer finite"))
  }

  @Test func reductionWithoutADirectSearchIsCalledReckoned() throws {
    let html = try report(SyntheticComparison(modes: [.transferred]).summary).html(bundle: nil)
    #expect(html.contains("×*</td>"))
    #expect(html.contains("its MACs were reckoned"))
    #expect(!html.contains("Search time reduced"))
  }

  @Test func oneSeedMakesNoClaim() throws {
    let report = try report(SyntheticComparison(seeds: [4]).summary)
    let html = try report.html(bundle: nil)
    #expect(report.charts.map(\.id) == Self.ids)
    #expect(html.contains("no spread is known"))
    #expect(!html.contains("\u{A0}±\u{A0}"))
    #expect(!html.contains("better than uniform"))
    #expect(html.contains("<dt>Seed</dt><dd>4</dd>"))
  }

  @Test func controlsAloneMakeAPage() throws {
    let report = try report(SyntheticComparison(methods: []).summary)
    #expect(report.charts.map(\.id) == ["method-accuracies", "method-widths"])
    #expect(try report.html(bundle: "/**/").contains("Random"))
  }

  @Test func nothingMakesAPage() throws {
    var summary = SyntheticComparison().summary
    summary.arms = []
    #expect(try report(summary).html(bundle: "/**/").contains("holds no trained network"))
    summary = SyntheticComparison().summary
    summary.groups = []
    #expect(try report(summary).charts.map(\.id) == ["method-accuracies", "accuracy-against-cost"])
    summary.arms = summary.arms.map { .init(algorithm: $0.algorithm, mode: $0.mode, members: []) }
    #expect(try report(summary).html(bundle: nil).contains("has no trained network, so it is left out"))
  }

  @Test(arguments: [Double.nan, .infinity, 1e300, -1e300, 0])
  func absurdNumbersMakeAPage(_ value: Double) throws {
    var summary = SyntheticComparison().summary
    for arm in summary.arms.indices where arm % 3 != 1 {
      for member in summary.arms[arm].members.indices {
        summary.arms[arm].members[member].result.top1 = value
        summary.arms[arm].members[member].result.seconds = value
        summary.arms[arm].members[member].macs = .max
        summary.arms[arm].members[member].widths["conv1"] = member == 0 ? .min : .max
        summary.arms[arm].members[member].overhead = .init(
          flops: value, seconds: value, directFlops: value, reduction: value)
      }
    }
    summary.targetMacs = 0
    summary.groups[1].original = 0
    summary.groups[2].id = summary.groups[3].id
    summary.projection = .init(width: value, depth: value, resolution: .min, data: value)
    let html = try report(summary).html(bundle: "/**/")
    #expect(html.contains("</html>"))
    #expect(value.isFinite || html.contains("has no accuracy"))
  }

  @Test func armsOfOneKindKeepTheirOwnNames() {
    var summary = SyntheticComparison(methods: ["dmcp"], modes: [.direct]).summary
    summary.arms += summary.arms
    #expect(
      summary.methodArms.map(\.label) == [
        "Uniform", "Random", "DMCP direct", "Uniform (2)", "Random (2)", "DMCP direct (2)",
      ])
  }

  @Test func textFromOutsideIsEscaped() throws {
    let nasty = "</script><img src=x onerror=alert(1)>\"'&"
    var summary = SyntheticComparison(network: nasty, methods: [nasty]).summary
    summary.dataset = nasty
    summary.groups[0].id = nasty
    summary.groups[1].stage = nasty
    summary.arms[0].members[0].folder = nasty
    let html = try report(summary).html(bundle: "/**/")
    #expect(!html.contains("<img"))
    #expect(html.components(separatedBy: "</script>").count - 1 == 3)
    #expect(html.contains("&lt;/script&gt;&lt;img"))
  }

  @Test("What was made smaller has a line of its own from the direct search on, where it is not always the same")
  func kindsOfShrinking() throws {
    var summary = SyntheticComparison(methods: ["dmcp"]).summary
    func chart() -> String { "\(Chart.accuracyAgainstSearchCost(summary).specification)" }
    #expect(!chart().contains("from a smaller network") && chart().contains("transferred"))
    let transferred = try #require(summary.arms.firstIndex { $0.mode == .transferred })
    summary.arms[transferred].projection = Projection(width: 0.5)
    for projection in [
      Projection(resolution: 16), Projection(width: 0.5, data: 0.2), Projection(depth: 0.5, resolution: 32),
    ] {
      var arm = summary.arms[transferred]
      arm.projection = projection
      summary.arms.append(arm)
    }
    let text = chart()
    for kind in ShrunkPart.allCases { #expect(text.contains(kind.rawValue), "\(kind)") }
    #expect(ShrunkPart(Projection(depth: 0.5, resolution: 32), resolution: 32) == .network)
    #expect(ShrunkPart(Projection(resolution: 32), resolution: 32) == nil)
    #expect(Chart.accuracyAgainstSearchCost(summary).caption.contains("networks, images or both"))
  }

  @Test("How far networks are off their budget is told in what the budget is of")
  func offBudget() throws {
    var summary = SyntheticComparison(methods: ["dmcp"]).summary
    for arm in summary.arms.indices {
      for member in summary.arms[arm].members.indices { summary.arms[arm].members[member].parameters = 100_000 }
    }
    summary.targetParameters = 80_000
    #expect(try report(summary).html(bundle: nil).contains("+25.0%"))
    summary.targetParameters = nil
    #expect(try !report(summary).html(bundle: nil).contains("+25.0%"))
  }

  @Test func brokenFileIsNamed() throws {
    try SyntheticRun.withFolder { folder in
      for text in ["{", "[]", "{\"network\": \"resnet20\"}"] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.comparison))
        let failure = #expect(throws: FileFailure.self) { try Report([folder]) }
        #expect(failure?.kind == .badData)
        #expect(failure?.path == folder.comparison)
      }
    }
  }

  @Test func unfinishedComparisonSaysHowToGoOn() throws {
    try SyntheticRun.withFolder { folder in
      try Data("command: compare\n".utf8).write(to: URL(fileURLWithPath: folder.configuration))
      let failure = #expect(throws: FileFailure.self) { try Report([folder]) }
      #expect(failure?.kind == .missing)
      #expect(failure?.message.contains("no comparison.json") == true)
    }
  }

  @Test func eventsOfTheMembersTellTheDeviceAndTheirWarnings() throws {
    try SyntheticRun.withFolder { folder in
      try SyntheticComparison().write(to: folder)
      let place = RunFolder(path: folder.file("dmcp-direct/seed-0"))
      try SyntheticRun(warning: "mind the gap").writeTraining(to: place, gain: 0, seed: 0)
      try SyntheticRun().writeSearch(to: place.search)
      let html = try Report([folder]).html(bundle: nil)
      #expect(html.contains("<dt>Device</dt><dd>cpu</dd>"))
      #expect(html.contains("mind the gap (dmcp direct, training, seed 0)"))
    }
  }

  @Test func comparisonStandsAlone() throws {
    try SyntheticRun.withFolder { folder in
      let training = RunFolder(path: folder.file("training"))
      try SyntheticComparison().write(to: folder)
      try SyntheticRun().writeTraining(to: training, gain: 0, seed: 0)
      let failure = #expect(throws: UsageFailure.self) { try Report([training, folder]) }
      #expect(failure?.message.contains("stands alone") == true)
    }
  }

  @Test("A method that was transferred in several ways has an arm for each, beside the same direct search")
  func severalProjections() throws {
    var summary = summary([
      ("uniform", .control, [90, 91, 92]), ("dmcp", .direct, [95, 96, 97.1]), ("dmcp", .transferred, [95, 96, 97]),
      ("dmcp", .transferred, [92, 93, 94.2]),
    ])
    summary.projection = nil
    summary.arms[2].projection = Projection(width: 0.5, resolution: summary.resolution)
    summary.arms[3].projection = Projection(resolution: 14, data: 0.2)
    #expect(
      summary.methodArms.map(\.label) == [
        "Uniform", "DMCP direct", "DMCP transferred, width 0.5×", "DMCP transferred, 14 px, 20% of the data",
      ])
    let methods = summary.searchedMethods
    #expect(methods.map(\.name) == ["DMCP, width 0.5×", "DMCP, 14 px, 20% of the data"])
    #expect(methods.allSatisfy { $0.direct?.label == "DMCP direct" })
    #expect(methods.map { $0.difference?.verdict } == [.withinNoise, .lower])
    let html = try report(summary).html(bundle: nil)
    #expect(html.contains("DMCP transferred, 14 px, 20% of the data"))
    #expect(html.contains("95\u{A0}% interval"))
  }

  @Test("Widths from files have a line and a colour of their own, and nothing is drawn of nothing")
  func givenWidths() throws {
    let given = summary([("uniform", .control, [90, 91]), ("streamlined", .control, [92, 93])])
    let chart = try #require(try report(given).charts.first { $0.id == "method-widths" })
    #expect(try rows(chart).count == given.groups.count)
    #expect(!chart.caption.contains("random"))
    let text = try chart.specification.scriptText()
    #expect(text.contains(Palette.series[0]) && !text.contains(#""domain":[]"#))
    let alone = try report(summary([("uniform", .control, [90, 91]), ("random", .control, [92, 93])]))
    for chart in alone.charts { #expect(try !chart.specification.scriptText().contains(#""domain":[]"#)) }
  }
}
