import Diagnosis
import Records
import Support

/// The page of one layer at several widths.
struct WidthSweepPage {
  let summary: WidthSweepSummary

  func page() -> Page {
    Page(
      title: "From too narrow to wide enough",
      subtitle: "\(capitalized(summary.model)), \(summary.dataset); \(Format.number(seeds, "seed")) at each width.",
      sections: [result, curves, table] + (further.map { [$0] } ?? []))
  }

  private var seeds: Int { summary.points.map(\.results.count).max() ?? 0 }

  private func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

  /// What was seen of the source's finding, in words.
  private var verdict: String {
    let narrow = summary.points.filter { $0.agreement.pattern == .decreaseToSaturate }.map(\.width)
    let wide = summary.points.filter { $0.agreement.pattern == .increaseToSaturate }.map(\.width)
    func list(_ widths: [Int]) -> String { widths.map(String.init).joined(separator: ", ") }
    if let last = narrow.max(), let first = wide.min(), last < first {
      let others = summary.points.filter { point in
        point.width < last && !narrow.contains(point.width) || point.width > first && !wide.contains(point.width)
      }
      return others.isEmpty
        ? "Seen here: DS up to \(last) \(summary.unit), IS from \(first) on."
        : "Seen here in part: DS at \(list(narrow)) \(summary.unit), IS at \(list(wide)), but undecided at \(list(others.map(\.width)))."
    }
    if summary.points.allSatisfy({ $0.agreement.pattern == .undetermined }) {
      return "Nothing can be told: at no width are there enough samples; train for more epochs."
    }
    if narrow.isEmpty, wide.isEmpty { return "Not seen here: no width has a clear pattern in seven of ten seeds." }
    if narrow.isEmpty { return "Not seen here: no width is found too narrow; wide enough are \(list(wide))." }
    if wide.isEmpty { return "Not seen here: no width is found wide enough; too narrow are \(list(narrow))." }
    return "Not seen here as claimed: too narrow are \(list(narrow)), wide enough \(list(wide)) \(summary.unit)."
  }

  private var result: Page.Section {
    Page.Section(
      id: "result", heading: "Result",
      blocks: [
        .headline(verdict), .paragraph("The source: \(summary.claim)"),
        .figures([Chart.sweepDrops(summary), Chart.sweepScores(summary)]),
      ])
  }

  private var curves: Page.Section {
    Page.Section(
      id: "curves", heading: "Curves",
      blocks: [
        .paragraph(
          "V, the variance of the channels' weight norms over their mean; a line a seed, in the colour of its verdict."),
        .figures(summary.points.map { Chart.sweepCurves($0, unit: summary.unit) }),
      ])
  }

  private var table: Page.Section {
    Page.Section(
      id: "numbers", heading: "Numbers",
      blocks: [
        .table(
          Page.Table(
            caption:
              "Patterns by the reconstructed rules; D and score are median and mean ± standard deviation over seeds",
            columns: [
              ("Width", .number), ("Pattern", .text), ("Seeds that agree", .number), ("All patterns", .text),
              ("D", .number),
              (capitalized(summary.score), .number),
            ],
            rows: summary.points.map { point in
              [
                "\(point.width)", point.agreement.pattern.short,
                point.agreement.alike.map { "\($0) of \(point.agreement.seeds)" } ?? "none",
                point.agreement.counts.sorted { $0.key < $1.key }.map { "\($1) × \($0)" }.joined(separator: ", "),
                point.agreement.drop.map { Format.fixed($0, 2) } ?? "–",
                Format.spread(Spread(point.results.map(\.score)), 2),
              ]
            })),
        .facts([
          .init(name: "Experiment", value: summary.name), .init(name: "Epochs", value: Format.count(summary.epochs)),
        ]),
      ])
  }

  /// The groups beside the one that the study shows: what they were found to be at each width.
  private var further: Page.Section? {
    let groups = summary.points.first?.results.first?.further.map(\.group) ?? []
    guard !groups.isEmpty else { return nil }
    func cell(_ group: String, _ point: WidthSweepSummary.Point) -> String {
      let findings = point.results.flatMap { $0.further.filter { $0.group == group }.map(\.finding) }
      guard !findings.isEmpty else { return "–" }
      let agreement = PatternAgreement(findings)
      let drop = agreement.drop.map { ", D \(Format.fixed($0, 2))" } ?? ""
      return agreement.words + drop
    }
    return Page.Section(
      id: "further", heading: "Other layers",
      blocks: [
        .table(
          Page.Table(
            caption:
              "What the seeds agree on, by \(summary.unit); above is \(summary.points[0].results[0].curve.group)",
            columns: [("Group", .text)] + summary.points.map { ("\($0.width)", .text) },
            rows: groups.map { group in [group] + summary.points.map { cell(group, $0) } }))
      ])
  }
}
