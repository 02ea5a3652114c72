import Diagnosis
import Records
import Support

/// The page of networks merged at several thresholds, beside their diagnosis.
struct MergeSweepPage {
  let summary: MergeSweepSummary

  func page() -> Page {
    Page(
      title: "What merging leaves",
      subtitle:
        "\(summary.network), \(summary.dataset); \(Format.number(summary.members.count, "seed")), merged without further training.",
      sections: [result, layers, thresholds])
  }

  private var result: Page.Section {
    Page.Section(
      id: "result", heading: "Result",
      blocks: [
        .headline(summary.verdict), .paragraph("The source: \(summary.claim)"),
        .paragraph(
          "β is the distance, as a part of the largest, up to which two channels are merged. The classes are those of each training's own "
            + "weight norms, by the reconstructed rules; merging looks at the trained weights alone."),
        .figures([Chart.mergedParts(summary), Chart.mergedAccuracies(summary)]),
      ])
  }

  private var layers: Page.Section {
    let (shown, harmless) = (summary.settings.threshold, summary.harmlessThreshold)
    let most = harmless == shown ? nil : harmless
    var columns: [(title: String, alignment: Page.Table.Alignment)] = [
      ("Layers", .text), ("Group", .text), ("Channels", .number), ("Left at β = \(Format.trimmed(shown))", .number),
    ]
    if let most { columns.append(("Left at β = \(Format.trimmed(most))", .number)) }
    columns += [("Pattern", .text), ("D", .number)]
    return Page.Section(
      id: "layers", heading: "Layers",
      blocks: [
        .table(
          Page.Table(
            caption:
              "Channels that are left, the mean over seeds; pattern and D are what the seeds agree on"
              + (harmless.map {
                ". β = \(Format.trimmed($0)) is the largest of those tried that costs no seed more than \(Self.points) points"
              } ?? ". No β of those tried costs at most \(Self.points) points with every seed"),
            columns: columns,
            rows: summary.groups.map { group in
              [group.numbers.isEmpty ? "–" : LayerNumbers.text(group.numbers), group.id, "\(group.width)"]
                + [shown, most].compactMap { $0 }.map { left(group, $0) }
                + [group.pattern.short, group.drop.map { Format.fixed($0, 2) } ?? "–"]
            }))
      ])
  }

  private static var points: String { Format.trimmed(MergeSweepSummary.harmlessLoss) }

  private func left(_ group: MergeSweepSummary.Group, _ threshold: Double) -> String {
    let parts = summary.points(at: threshold).compactMap { point in
      point.survival.groups.first { $0.id == group.id }?.left
    }
    guard let mean = Spread(parts)?.mean else { return "–" }
    let channels = mean * Double(group.width)
    return Format.fixed(channels, channels == channels.rounded() ? 0 : 1)
  }

  private var thresholds: Page.Section {
    Page.Section(
      id: "thresholds", heading: "Thresholds",
      blocks: [
        .table(
          Page.Table(
            caption: "Means over seeds, the accuracy with its standard deviation; p and ρ are those of each seed",
            columns: [
              ("β", .text), ("Parameters", .number), ("Top-1 (%)", .number), ("Left of IS", .number),
              ("Left of DS", .number), ("p (Mann-Whitney)", .number), ("ρ of what is left and D", .number),
            ],
            rows: [before] + summary.thresholds.map(row))),
        .facts([
          .init(name: "Experiment", value: summary.name), .init(name: "Epochs", value: Format.count(summary.epochs)),
          .init(name: "Mode of merging", value: summary.settings.mode.rawValue),
          .init(name: "Groups that are merged", value: summary.settings.scope.rawValue),
        ]),
      ])
  }

  private var before: [String] {
    let spread = Spread(summary.members.compactMap(\.before.top1))
    return ["before", "100.0 %", Format.spread(spread, 2), "–", "–", "–", "–"]
  }

  private func row(_ threshold: Double) -> [String] {
    let points = summary.points(at: threshold)
    func percent(_ parts: [Double]) -> String {
      Spread(parts).map { Format.percent(100 * $0.mean, 1) } ?? "–"
    }
    func all(_ values: [Double?], _ digits: Int) -> String {
      values.map { $0.map { Format.fixed($0, digits) } ?? "–" }.joined(separator: ", ")
    }
    let parameters = zip(summary.members, points).map { member, point in
      Double(point.after.parameters) / Double(max(1, member.before.parameters))
    }
    return [
      Format.trimmed(threshold), percent(parameters), Format.spread(Spread(points.compactMap(\.after.top1)), 2),
      percent(points.compactMap(\.survival.wideEnough)), percent(points.compactMap(\.survival.tooNarrow)),
      all(points.map(\.survival.test?.p), 3), all(points.map(\.survival.correlation), 2),
    ]
  }
}

extension MergeSweepSummary {
  /// Points of accuracy that may be lost where merging is called harmless.
  static let harmlessLoss = 2.0

  /// The thresholds that every training was merged at.
  var thresholds: [Double] { members.first?.points.map(\.threshold) ?? [] }

  /// One point of each training.
  func points(at threshold: Double) -> [Point] {
    members.compactMap { member in member.points.first { $0.threshold == threshold } }
  }

  /// The largest threshold that costs no training more than ``harmlessLoss``; nil when none is as harmless.
  var harmlessThreshold: Double? {
    let largest = members.map { $0.largestThreshold(losing: Self.harmlessLoss)?.threshold }
    return largest.contains(nil) ? nil : largest.compactMap { $0 }.min()
  }

  /// What was seen of the source's finding, in words.
  public var verdict: String {
    let points = points(at: settings.threshold)
    let wide = Spread(points.compactMap(\.survival.wideEnough))
    let narrow = Spread(points.compactMap(\.survival.tooNarrow))
    let at = "at β = \(Format.trimmed(settings.threshold))"
    guard let wide, let narrow else {
      return "It cannot be told here: the trainings have no layers that are IS beside layers that are DS."
    }
    func percent(_ spread: Spread) -> String { Format.percent(100 * spread.mean, 1) }
    let parts =
      "layers that are wide enough keep \(percent(wide)) of their channels, those that are too narrow \(percent(narrow))"
    let chances = points.compactMap(\.survival.test?.p)
    let isClear = chances.count == members.count && chances.allSatisfy { $0 < 0.05 }
    let words = chances.map { Format.fixed($0, 3) }.joined(separator: ", ")
    let test = chances.isEmpty ? "" : " (Mann-Whitney p = \(words))"
    guard isClear else { return "It cannot be told here: \(at) \(parts)\(test)." }
    return (narrow.mean > wide.mean ? "Seen here: " : "The contrary is seen here: ") + "\(at) \(parts)\(test)."
  }
}
