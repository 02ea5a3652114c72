import Foundation
import Networks
import Records
import Support
import Transfer

/// The page of a `run`: what the search brought, against the uniform network at equal cost.
struct RunPage {
  let record: RunRecord
  let summary: RunSummary

  func page() -> Page {
    Page(
      title: "\(summary.network) on \(summary.dataset)",
      subtitle: "Widths found by \(PageParts.algorithm(summary.algorithm))"
        + (isShrunk ? " on a projected network and carried over to the whole one" : "")
        + ", against its own uniform widths at the same cost.",
      sections: [result, networks, widths, training, search, cost, asked, warnings, made].compactMap { $0 })
  }

  private var uniform: RunSummary.Variant? { summary.variants.first { $0.name == "uniform" } }
  private var optimized: RunSummary.Variant? { summary.variants.first { $0.name == "optimized" } }

  private var difference: PairedDifference? {
    guard let uniform, let optimized else { return nil }
    return PairedDifference(optimized.top1BySeed, minus: uniform.top1BySeed)
  }

  // MARK: Result

  private var result: Page.Section {
    var blocks: [Page.Block] = [.headline(headline)]
    var tiles: [Page.Tile] = []
    if let difference, let optimized, let uniform, !summary.isOneNetwork {
      tiles.append(
        Page.Tile(
          label: "Top-1, optimized − uniform", value: difference.points,
          detail: difference.detail, tone: difference.tone))
      tiles.append(
        Page.Tile(
          label: "Optimized top-1", value: Format.fixed(Spread(optimized.results.map(\.top1))?.mean ?? .nan, 2) + "%",
          detail: "uniform \(Format.fixed(Spread(uniform.results.map(\.top1))?.mean ?? .nan, 2))%"))
    }
    tiles.append(
      Page.Tile(
        label: "Search cost reduced", value: Format.factor(summary.overhead.reduction),
        detail: summary.overhead.nominalReduction.map { "counted in MACs; \(Format.factor($0)) by the formula" }
          ?? "counted in MACs, against direct search"))
    if let budget = summary.targetLatency, let latency = optimized?.latency {
      let predicted = Format.milliseconds(latency.predicted)
      tiles.append(
        Page.Tile(
          label: latency.measured == nil ? "Latency of one image, predicted" : "Latency of one image",
          value: Format.milliseconds(latency.measured ?? latency.predicted),
          detail: "budget \(Format.milliseconds(budget))" + (latency.measured == nil ? "" : ", predicted \(predicted)"))
      )
    } else if let optimized, let budget = summary.targetParameters {
      tiles.append(
        Page.Tile(
          label: "Parameters", value: Format.si(Double(optimized.parameters)),
          detail: "budget \(Format.si(Double(budget))), "
            + "\(Format.signed(100 * relative(optimized.parameters, budget), 2))% off"))
    } else if let optimized {
      tiles.append(
        Page.Tile(
          label: "MACs of one image", value: Format.si(Double(optimized.macs)),
          detail: "budget \(Format.si(Double(summary.targetMacs))), \(deviation(optimized.macs)) off"))
    }
    blocks.append(.tiles(tiles))
    if let difference, !summary.isOneNetwork {
      blocks.append(.paragraph(difference.reason))
    }
    if let uniform, let optimized, summary.targetLatency != nil {
      blocks.append(
        .paragraph(
          "The budget is one of time. At equal predicted latency, the optimized network's MACs differ by "
            + "\(Format.signed(100 * relative(optimized.macs, uniform.macs), 1))% from the uniform one's."))
    } else if let uniform, let optimized, abs(relative(optimized.macs, uniform.macs)) > 0.01 {
      blocks.append(
        .paragraph(
          "Mind that the two networks do not cost the same: the optimized one has "
            + "\(Format.signed(100 * relative(optimized.macs, uniform.macs), 1))% MACs."))
    }
    return Page.Section(id: "result", heading: "Result", blocks: blocks)
  }

  // Whether the search was any cheaper than a direct one.
  private var isShrunk: Bool { summary.projection != .identity && summary.overhead.flops > 0 }

  private var headline: String {
    let cheaper =
      isShrunk
      ? "Searching the whole network and data directly would have cost \(Format.factor(summary.overhead.reduction)) the "
        + "compute."
      : summary.overhead.flops > 0 ? "The search saw the whole network and data." : "Nothing was searched."
    guard let difference, let optimized, let uniform, let value = Spread(optimized.results.map(\.top1)),
      let baseline = Spread(uniform.results.map(\.top1))
    else { return cheaper }
    guard !summary.isOneNetwork else {
      return "The search returned the uniform widths, so there is one network and nothing to compare "
        + "(\(Format.spread(value, 2))% top-1 at \(cost(optimized))). \(cheaper)"
    }
    let numbers =
      "(\(Format.spread(value, 2))% against \(Format.spread(baseline, 2))% top-1 at \(cost(optimized)))"
    return "\(difference.claim) \(numbers). \(cheaper)"
  }

  // What the budget was set on.
  private func cost(_ variant: RunSummary.Variant) -> String {
    if summary.targetLatency != nil, let latency = variant.latency {
      return "\(Format.milliseconds(latency.predicted)) for one image"
    }
    if summary.targetParameters != nil { return "\(Format.si(Double(variant.parameters))) parameters" }
    return "\(Format.si(Double(variant.macs))) MACs"
  }

  private func relative(_ value: Int, _ reference: Int) -> Double {
    reference > 0 ? Double(value) / Double(reference) - 1 : 0
  }

  private func deviation(_ macs: Int) -> String {
    Format.signed(100 * relative(macs, summary.targetMacs), 2) + "%"
  }

  // MARK: Networks

  private var hasLatency: Bool { summary.variants.contains { $0.latency != nil } }
  private var latencyColumns: [(String, Page.Table.Alignment)] {
    hasLatency ? [("Latency, predicted", .number), ("Latency, measured", .number)] : []
  }

  private func latency(_ variant: RunSummary.Variant) -> [String] {
    guard hasLatency else { return [] }
    return [variant.latency?.predicted, variant.latency?.measured].map { $0.map(Format.milliseconds) ?? "–" }
  }

  private var networks: Page.Section {
    func row(_ variant: RunSummary.Variant) -> [String] {
      func spread(_ value: (TrainingResult) -> Double, _ decimals: Int) -> String {
        Format.spread(Spread(variant.results.map(value)), decimals)
      }
      return [
        variant.name, Format.si(Double(variant.macs)), Format.si(Double(variant.parameters)),
      ] + latency(variant) + [
        "\(variant.results.count)", spread(\.top1, 2), spread(\.top5, 2), spread(\.loss, 4),
        spread(\.imagesPerSecond, 0),
      ]
    }
    let table = Page.Table(
      caption: "Held-out results, mean ± sample standard deviation over seeds",
      columns: [
        ("Network", .text), ("MACs", .number), ("Parameters", .number),
      ] + latencyColumns + [
        ("Seeds", .number), ("Top-1 (%)", .number),
        ("Top-5 (%)", .number), ("Loss", .number), ("Training images/s", .number),
      ],
      rows: summary.variants.map(row))
    let seeds = Page.Table(
      caption: "Every training",
      columns: [
        ("Network", .text), ("Seed", .number), ("Top-1 (%)", .number), ("Top-5 (%)", .number), ("Loss", .number),
        ("Time", .number), ("Images/s", .number),
      ],
      rows: summary.variants.flatMap { variant in
        zip(variant.seeds, variant.results).map { seed, result in
          [
            variant.name, "\(seed)", Format.fixed(result.top1, 2), Format.fixed(result.top5, 2),
            Format.fixed(result.loss, 4), Format.duration(result.seconds), Format.significant(result.imagesPerSecond),
          ]
        }
      })
    return Page.Section(id: "networks", heading: "The two networks", blocks: [.table(table), .details(seeds)])
  }

  // MARK: Widths, training, search

  private var widths: Page.Section? {
    guard !summary.groups.isEmpty else { return nil }
    return Page.Section(
      id: "widths", heading: "Widths",
      blocks: [
        .figures([Chart.widths(summary.groups)]),
        .figures([Chart.multipliers([("optimized", summary.groups)])]),
        .details(PageParts.widths(summary.groups)),
      ])
  }

  private var training: Page.Section? {
    let curves = record.trainings.map { training in
      TrainingCurve(series: training.variant, seed: training.seed, epochs: training.history.epochs)
    }
    guard curves.contains(where: { !$0.epochs.isEmpty }) else { return nil }
    return Page.Section(
      id: "training", heading: "Training",
      blocks: [
        .figures([Chart.trainingCurves(curves, metric: .top1), Chart.trainingCurves(curves, metric: .loss)]),
        .details(PageParts.epochs(curves)),
      ])
  }

  private var search: Page.Section? {
    SearchPage.history(
      record.search?.searches ?? [], groups: summary.groups,
      lead: "\(PageParts.algorithm(summary.algorithm)) ran on the "
        + (isShrunk ? "projected network (\(PageParts.projection(summary.projection)))" : "whole network")
        + ", of \(Format.si(Double(summary.sourceMacs))) MACs.",
      evidence: record.widths?.evidence)
  }

  // MARK: Cost

  private var cost: Page.Section {
    let overhead = summary.overhead
    // One network under two names was trained once.
    let variants = summary.isOneNetwork ? Array(summary.variants.prefix(1)) : summary.variants
    let trainings = variants.map { variant -> (name: String, flops: Double?, seconds: Double) in
      // What a training spent is in its events, and of one that went on elsewhere in its result.
      let flops = zip(variant.seeds, variant.results).map { seed, result in
        record.trainings.first { $0.variant == variant.name && $0.seed == seed }?.history.done?.flops ?? result.flops
      }
      return (
        variant.name, flops.contains(nil) ? nil : flops.compactMap(\.self).reduce(0, +),
        variant.results.map(\.seconds).reduce(0, +)
      )
    }
    let isKnown = trainings.allSatisfy { $0.flops != nil }
    let labels = trainings.map {
      summary.isOneNetwork ? "Training" : "\($0.name.prefix(1).uppercased() + $0.name.dropFirst()) training"
    }
    let largest = ([overhead.directFlops, overhead.flops] + trainings.compactMap(\.flops)).max() ?? 1
    let (scale, unit) = Self.unit(largest)
    func parts(_ bar: String, search: Double) -> [Chart.CostPart] {
      [Chart.CostPart(bar: bar, part: "Search", amount: search / scale)]
        + zip(labels, trainings).map { Chart.CostPart(bar: bar, part: $0, amount: ($1.flops ?? 0) / scale) }
    }
    let compute = Chart.costBreakdown(
      parts("With width transfer", search: overhead.flops) + parts("With direct search", search: overhead.directFlops),
      title: "Compute", unit: unit + "MACs, forward and backward",
      caption: "What the run spent, and what it would have spent with a search on the whole network and data.",
      id: "cost-compute")
    let seconds = [("Search", overhead.seconds)] + zip(labels, trainings).map { ($0, $1.seconds) }
    let isLong = (seconds.map(\.1).max() ?? 0) > 7200
    let time = Chart.costBreakdown(
      seconds.map { Chart.CostPart(bar: "This run", part: $0.0, amount: $0.1 / (isLong ? 3600 : 60)) },
      title: "Time", unit: isLong ? "Hours" : "Minutes", caption: "Where this run's time went, over all seeds.",
      id: "cost-time")
    // Shares of a sum that lacks something would be none.
    let total = isKnown ? overhead.flops + trainings.compactMap(\.flops).reduce(0, +) : 0
    let table = Page.Table(
      caption: "What the run spent, over all seeds",
      columns: [("Part", .text), ("MACs", .number), ("Share", .number), ("Time", .number)],
      rows: [Self.row("Search", overhead.flops, overhead.seconds, total)]
        + zip(labels, trainings).map { Self.row($0, $1.flops, $1.seconds, total) })
    return Page.Section(
      id: "cost", heading: "Where the compute went",
      blocks: [
        .figures(isKnown ? [compute, time] : [time]), .table(table),
        .table(Self.reductions(overhead)),
      ] + PageParts.choice(record.projectionChoice) + [
        .paragraph(
          "The formula multiplies the factors of the projection; the count follows every layer, with rounded channels and "
            + "the parts that do not scale. A measured reduction needs a direct search to compare with; "
            + "width-transfer report shows it when it is given both runs.")
      ])
  }

  private static func row(_ name: String, _ flops: Double?, _ seconds: Double, _ total: Double) -> [String] {
    [
      name, flops.map(Format.si) ?? "–",
      flops.flatMap { total > 0 ? Format.fixed(100 * $0 / total, 1) + "%" : nil } ?? "–",
      Format.duration(seconds),
    ]
  }

  static func reductions(_ overhead: WidthsFile.OverheadRecord) -> Page.Table {
    Page.Table(
      caption: "The search, beside a search on the whole network and data",
      columns: [("Reckoned", .text), ("Direct search", .number), ("This search", .number), ("Reduction", .number)],
      rows: [
        ["By the formula (nominal)", "–", "–", Format.factor(overhead.nominalReduction)],
        [
          "Counted (MACs)", Format.si(overhead.directFlops), Format.si(overhead.flops),
          Format.factor(overhead.reduction),
        ],
        ["Measured (time)", "not run", Format.duration(overhead.seconds), "–"],
      ]
        + (overhead.predictedSeconds.map { [["Predicted (time)", "–", Format.duration($0), "–"]] } ?? []))
  }

  private static func unit(_ largest: Double) -> (Double, String) {
    let text = Format.si(largest)
    let units: [(Character, Double, String)] = [
      ("E", 1e18, "Exa"), ("P", 1e15, "Peta"), ("T", 1e12, "Tera"), ("G", 1e9, "Giga"), ("M", 1e6, "Mega"),
    ]
    return units.first { text.last == $0.0 }.map { ($0.1, $0.2) } ?? (1, "")
  }

  // MARK: Asked, warnings, made

  private var asked: Page.Section {
    let facts: [Page.Fact] =
      [
        .init(name: "Network", value: summary.network), .init(name: "Data set", value: summary.dataset),
        .init(name: "Training images", value: Format.count(summary.images)),
        .init(name: "Classes", value: Format.count(summary.classes)),
        .init(name: "Resolution", value: "\(summary.resolution) px"),
        .init(name: "Budget", value: budget),
        .init(name: "Algorithm", value: PageParts.algorithm(summary.algorithm)),
        .init(name: "Projected width", value: "\(Format.trimmed(summary.projection.width))×"),
        .init(name: "Projected depth", value: "\(Format.trimmed(summary.projection.depth))×"),
        .init(name: "Projected resolution", value: "\(summary.projection.resolution ?? summary.resolution) px"),
        .init(name: "Projected data", value: "\(Format.trimmed(summary.projection.data * 100))%"),
      ] + trainingFacts
    return Page.Section(
      id: "asked", heading: "What was asked", blocks: [.facts(facts + PageParts.recipe(record, besides: facts))])
  }

  private var budget: String {
    if let latency = summary.targetLatency {
      return "\(Format.milliseconds(latency)) for one image (\(summary.latencyRuntime ?? ""))"
    }
    if let parameters = summary.targetParameters { return "\(Format.si(Double(parameters))) parameters" }
    return "\(Format.si(Double(summary.targetMacs))) MACs"
  }

  private var trainingFacts: [Page.Fact] {
    guard let start = record.trainings.first?.history.start else { return [] }
    return [
      .init(name: "Epochs", value: Format.count(start.epochs)),
      .init(name: "Batch size", value: Format.count(start.batchSize)),
    ]
  }

  private var histories: [(name: String, history: EventHistory)] {
    var all: [(name: String, history: EventHistory)] = [("run", record.history)]
    if let search = record.search { all.append(("search", search)) }
    return all + record.trainings.map { ("\($0.variant), seed \($0.seed)", $0.history) }
  }

  private var warnings: Page.Section? { PageParts.warnings(histories, gaps: record.gaps) }

  private var made: Page.Section {
    PageParts.provenance(
      record, starts: histories.compactMap(\.history.start), resumes: histories.map(\.history.resumes).reduce(0, +))
  }
}
