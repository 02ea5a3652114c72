import Diagnosis
import Networks
import Records
import Support

/// The page of a diagnosis: which layers are too narrow, seen before anything is read.
struct DiagnosisPage {
  let summary: DiagnosisSummary

  func page() throws -> Page {
    let cost = try summary.network.resolved().cost
    return Page(
      title: "Is each layer of \(summary.network.name) wide enough?",
      subtitle: "From how the weight norms of its channels went over \(trainings).",
      sections: [verdict(cost), curves, comparison, channels, filters, gradients, signs, layers, reading, made]
        .compactMap { $0 })
  }

  private var trainings: String {
    let last = summary.sources.compactMap(\.epochs.last).max() ?? 0
    let seeds = summary.sources.count == 1 ? "one training" : "\(summary.sources.count) trainings"
    return "\(seeds) of \(Format.number(last, "epoch"))"
  }

  private func verdict(_ cost: Cost) -> Page.Section {
    func tile(_ label: String, _ pattern: WidthPattern, _ tone: Page.Tile.Tone) -> Page.Tile {
      let alike = summary.groups.filter { $0.pattern == pattern }
      return .init(
        label: label, value: "\(alike.count)", detail: alike.isEmpty ? "no width group" : summary.names(pattern),
        tone: alike.isEmpty ? .plain : tone)
    }
    let clear: Set<WidthPattern> = [.increaseToSaturate, .decreaseToSaturate]
    let undecided = summary.groups.filter { !clear.contains($0.pattern) }
    let blocks: [Page.Block] = [
      .headline(summary.headline),
      .tiles([
        tile("Too narrow", .decreaseToSaturate, .bad), tile("Wide enough", .increaseToSaturate, .good),
        .init(
          label: "Undecided", value: "\(undecided.count)",
          detail: undecided.isEmpty ? "no width group" : LayerNumbers.text(undecided.flatMap(\.numbers))),
        .init(
          label: "The network", value: Format.si(Double(cost.macs)),
          detail: "MACs; \(Format.si(Double(cost.parameters))) parameters"),
      ]),
      .figures([Chart.verdicts(summary.groups)]),
      .table(table(summary.groups, caption: "All width groups")),
    ]
    return Page.Section(id: "verdict", heading: "Verdict", blocks: blocks)
  }

  private func table(_ groups: [DiagnosisSummary.Group], caption: String) -> Page.Table {
    let seeds = summary.sources.count
    return Page.Table(
      caption: caption,
      columns: [("Width group", .text), ("Layers", .text), ("Channels", .number), ("Pattern", .text), ("D", .number)]
        + (seeds > 1 ? [("Seeds that agree", .number)] : []) + [("Verdict", .text), ("Why", .text)],
      rows: groups.map { group in
        [
          group.id, group.numbers.isEmpty ? "–" : LayerNumbers.text(group.numbers), Format.count(group.width),
          group.pattern.short, group.drop.map { Format.fixed($0, 2) } ?? "–",
        ] + (seeds > 1 ? ["\(Int((group.agreement * Double(seeds)).rounded())) of \(seeds)"] : []) + [
          group.verdict, group.reason,
        ]
      })
  }

  private var curves: Page.Section {
    Page.Section(
      id: "curves", heading: "Curves",
      blocks: [
        .paragraph(
          "V is the variance of the channels' weight norms over their mean. Dashed lines: the ends of stage 1 (channels alike) and stage 2 "
            + "(fast rise), and the peak."),
        .figures(summary.groups.map { Chart.variance($0, sources: summary.sources) }),
      ] + accuracy)
  }

  private var accuracy: [Page.Block] {
    guard let accuracy = summary.accuracy, accuracy.count > 2 else { return [] }
    return [.figures([Chart.accuracyBesideVariance(summary, accuracy)])]
  }

  private var channels: Page.Section? {
    let shown = summary.groups.compactMap { group in
      group.distributions.flatMap { $0.isEmpty ? nil : (group, $0) }
    }
    guard !shown.isEmpty else { return nil }
    func number(_ value: Double?) -> String { value.map { Format.fixed($0, 2) } ?? "–" }
    var blocks: [Page.Block] = [
      .paragraph(
        "How the norms of what computes each channel are spread over the channels of a layer"
          + (summary.sources.count > 1 ? ", in the first training." : ".")),
      .figures(shown.map { Chart.distributions($0.0, $0.1) }),
    ]
    let early = summary.groups.filter { $0.early != nil }
    if !early.isEmpty {
      if early.contains(where: { $0.early?.points != nil }) { blocks.append(.figures([Chart.earlyNorms(early)])) }
      blocks.append(
        .details(
          Page.Table(
            caption: "Do channels that lead at epoch 6 lead in the end? Correlations of their norms",
            columns: [("Width group", .text), ("Layers", .text), ("Pearson's r", .number), ("Spearman's ρ", .number)],
            rows: early.map { group in
              [
                group.id, group.numbers.isEmpty ? "–" : LayerNumbers.text(group.numbers),
                number(group.early?.correlation),
                number(group.early?.rankCorrelation),
              ]
            })))
    }
    return Page.Section(id: "channels", heading: "Channels", blocks: blocks)
  }

  private var filters: Page.Section? {
    let shown = summary.groups.filter { $0.filters != nil }
    guard !shown.isEmpty else { return nil }
    return Page.Section(
      id: "filters", heading: "Are filters alike?",
      blocks: [
        .paragraph(
          "Cosines between the filters of a layer after training"
            + (summary.sources.count > 1 ? ", in the first one" : "")
            + ", the largest norms first: red the same direction, blue the opposite one, white none in common."),
        .figures(shown.compactMap { group in group.filters.map { Chart.cosines(group, $0) } }),
        .details(
          Page.Table(
            caption: "|cosine| over all pairs of filters",
            columns: [
              ("Width group", .text), ("Layers", .text), ("Mean", .number), ("Mean of the largest tenth", .number),
              ("Pairs above ½ (%)", .number), ("Mean of random filters", .number),
            ],
            rows: shown.map { group in
              [
                group.id, group.numbers.isEmpty ? "–" : LayerNumbers.text(group.numbers),
                group.filters.map { Format.fixed($0.mean, 3) } ?? "–",
                group.filters?.meanOfLargest.map { Format.fixed($0, 3) } ?? "–",
                group.filters.map { Format.fixed(100 * $0.shareAboveHalf, 1) } ?? "–",
                group.filters.map { Format.fixed($0.ofRandom, 3) } ?? "–",
              ]
            })),
      ])
  }

  private var gradients: Page.Section? {
    guard let cosines = summary.gradientCosines, let last = cosines.last else { return nil }
    let groups = summary.groups.filter { group in last.layers.contains { $0.group == group.id } }
    guard cosines.count > 1, !groups.isEmpty else { return nil }
    func ratio(_ record: GradientCosines, _ group: DiagnosisSummary.Group) -> String {
      record.layers.first { $0.group == group.id }.map { Format.fixed($0.mean / $0.ofRandom, 1) } ?? "–"
    }
    let least = groups.compactMap { group -> [String]? in
      let means = cosines.compactMap { record in
        record.layers.first { $0.group == group.id }.map { (record.epoch, $0.mean / $0.ofRandom) }
      }
      guard let low = means.min(by: { $0.1 < $1.1 }), let random = last.layers.first(where: { $0.group == group.id })
      else { return nil }
      return [
        group.id, group.numbers.isEmpty ? "–" : LayerNumbers.text(group.numbers), Format.fixed(random.ofRandom, 3),
        ratio(cosines[0], group), "\(Format.fixed(low.1, 1)) (\(low.0))", ratio(last, group),
      ]
    }
    return Page.Section(
      id: "gradients", heading: "Do the channels of a layer learn apart?",
      blocks: [
        .paragraph(
          "Cosines between the gradients of a layer's channels on one batch that stays the same"
            + (summary.sources.count > 1 ? ", in the first training" : "")
            + ". The source has them nearly orthogonal in the first stage of training; 1 is what random directions have."
        ),
        .figures([Chart.gradientCosines(cosines, groups)]),
        .details(
          Page.Table(
            caption: "Mean |cosine| between channels' gradients, as a multiple of that of random directions",
            columns: [
              ("Width group", .text), ("Layers", .text), ("Random directions", .number), ("First", .number),
              ("Least (epoch)", .number), ("Last", .number),
            ], rows: least)),
      ])
  }

  private var signs: Page.Section? {
    guard let changes = summary.signChanges, !changes.isEmpty else { return nil }
    return Page.Section(
      id: "signs", heading: "Weights that change their sign",
      blocks: [
        .figures([Chart.signChanges(changes)]),
        .details(
          Page.Table(
            caption: "Percent of the elements of convolution and linear weights",
            columns: [("Epoch", .number), ("Since the epoch before", .number), ("Since the start", .number)],
            rows: changes.map {
              ["\($0.epoch)", Format.fixed($0.sinceEpochBefore, 2), Format.fixed($0.sinceStart, 2)]
            })),
      ])
  }

  private var layers: Page.Section? {
    guard !summary.layers.isEmpty else { return nil }
    return Page.Section(
      id: "layers", heading: "Layer by layer",
      blocks: [
        .paragraph(
          "Layers of a residual stream share one width. Here each stands alone: its rows times the columns of the layers that read it "
            + "directly [reconstructed]."),
        .details(table(summary.layers, caption: "Layers that share a width")),
      ])
  }

  private var comparison: Page.Section? {
    guard let comparison = summary.comparison else { return nil }
    let own = Dictionary(summary.groups.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    return Page.Section(
      id: "projected", heading: "Beside the projected network",
      blocks: [
        .headline(comparison.text), .figures([Chart.drops(summary, comparison)]),
        .table(
          Page.Table(
            caption: "Width groups in the same place",
            columns: [
              ("Width group", .text), ("Full", .text), ("Projected", .text), ("D full", .number),
              ("D projected", .number),
            ],
            rows: comparison.pairs.map { pair in
              [
                pair.group, own[pair.group]?.pattern.short ?? "–", pair.pattern.short,
                own[pair.group]?.drop.map { Format.fixed($0, 2) } ?? "–", pair.drop.map { Format.fixed($0, 2) } ?? "–",
              ]
            })),
      ])
  }

  private var reading: Page.Section {
    let rules = summary.rules
    func percent(_ value: Double) -> String { Format.percent(100 * value, 0) }
    return Page.Section(
      id: "reading", heading: "How to read it",
      blocks: [
        .paragraph(
          "Channels that start a little ahead learn faster. When a layer has room, the few strong channels stay ahead and the variance "
            + "stays high (increase to saturate, IS); when it has not, weak channels are needed too, catch up, and the variance falls "
            + "again (decrease to saturate, DS): Chen, Bu and Yan, NeurIPS 2024."),
        .paragraph(
          "The rules here are reconstructed, since the paper's own are not known. After a running median and mean, D is the part of the rise that "
            + "is gone at the end: at most \(percent(rules.largestDropOfIS)) is IS, at least \(percent(rules.leastDropOfDS)) that lasts is DS, "
            + "what lies between is undecided."),
      ])
  }

  private var made: Page.Section {
    let sources = summary.sources.map { source in
      source.path + (source.seed.map { ", seed \($0)" } ?? "") + ", \(Format.number(source.epochs.count, "sample"))"
    }
    return Page.Section(
      id: "made", heading: "How it was made",
      blocks: [
        .facts([
          .init(name: "Network", value: summary.network.name), .init(name: "Norms", value: summary.mode.rawValue),
          .init(name: "Least samples", value: "\(summary.rules.leastSamples)"),
        ]), .notes(sources),
      ])
  }
}
