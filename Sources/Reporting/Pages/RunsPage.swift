import Foundation
import Networks
import Records
import Support
import Transfer

/// The page of several runs side by side.
struct RunsPage {
  private let records: [RunRecord]

  /// Runs of the same folder name get the folder above as well, so that they can be told apart.
  init(records: [RunRecord]) {
    var named = records
    for index in named.indices where records.count(where: { $0.name == records[index].name }) > 1 {
      let parts = URL(fileURLWithPath: named[index].folder.path).standardizedFileURL.pathComponents.suffix(2)
      named[index].name = parts.joined(separator: "/")
    }
    for index in named.indices where named.firstIndex(where: { $0.name == named[index].name }) != index {
      named[index].name += " (\(index + 1))"
    }
    self.records = named
  }

  func page() -> Page {
    Page(
      title: "\(records.count) runs side by side", subtitle: records.map(\.name).joined(separator: " · "),
      sections: [results, widths, training, cost, warnings, made].compactMap { $0 })
  }

  private var runs: [(record: RunRecord, summary: RunSummary)] {
    records.compactMap { record in record.summary.map { (record, $0) } }
  }

  private var results: Page.Section {
    var blocks: [Page.Block] = []
    if !runs.isEmpty {
      blocks.append(
        .table(
          Page.Table(
            caption: "Runs: held-out top-1 in percent, mean ± sample standard deviation over seeds",
            columns: [
              ("Run", .text), ("Network", .text), ("Data set", .text), ("Algorithm", .text), ("MACs", .number),
              ("Uniform", .number), ("Optimized", .number), ("Difference", .number), ("Beyond the noise", .text),
            ],
            rows: runs.map(row))))
    }
    let others = records.filter { $0.summary == nil }
    if !others.isEmpty {
      blocks.append(
        .table(
          Page.Table(
            caption: "Single trainings and searches",
            columns: [
              ("Run", .text), ("Kind", .text), ("Network", .text), ("MACs", .number), ("Parameters", .number),
              ("Top-1 (%)", .number), ("Loss", .number), ("Time", .number),
            ],
            rows: others.map(otherRow))))
    }
    return Page.Section(id: "results", heading: "Results", blocks: blocks)
  }

  private var warnings: Page.Section? {
    PageParts.warnings(
      records.flatMap { record in
        guard record.summary != nil else { return [(record.name, record.history)] }
        let search = record.search.map { [("\(record.name), search", $0)] } ?? []
        let trainings = record.trainings.map { ("\(record.name), \($0.variant), seed \($0.seed)", $0.history) }
        return search + trainings
      }, gaps: records.flatMap { record in record.gaps.map { "\(record.name): \($0)" } })
  }

  private func row(_ record: RunRecord, _ summary: RunSummary) -> [String] {
    func spread(_ name: String) -> Spread? {
      summary.variants.first { $0.name == name }.flatMap { Spread($0.results.map(\.top1)) }
    }
    let macs = summary.variants.first { $0.name == "optimized" }?.macs ?? summary.targetMacs
    func bySeed(_ name: String) -> [Int: Double] { summary.variants.first { $0.name == name }?.top1BySeed ?? [:] }
    let difference = PairedDifference(bySeed("optimized"), minus: bySeed("uniform"))
    return [
      record.name, summary.network, summary.dataset, PageParts.algorithm(summary.algorithm), Format.si(Double(macs)),
      Format.spread(spread("uniform"), 2), Format.spread(spread("optimized"), 2),
      difference.map { Format.signed($0.value, 2) } ?? "–", difference?.beyondNoise ?? "–",
    ]
  }

  private func otherRow(_ record: RunRecord) -> [String] {
    let start = record.history.start
    let macs = record.widths?.macs ?? start?.macs
    let parameters = record.widths?.parameters ?? start?.parameters
    let isSearch = if case .search = record.kind { true } else { false }
    let isComplete = isSearch ? record.widths != nil || record.history.widths != nil : record.history.done != nil
    let kind = (isSearch ? "search" : "training") + (isComplete ? "" : ", not complete")
    let seconds = record.result?.seconds ?? record.history.done?.seconds
    return [
      record.name, kind, start?.network ?? record.widths?.network ?? "–",
      macs.map { Format.si(Double($0)) } ?? "–", parameters.map { Format.si(Double($0)) } ?? "–",
      (record.result?.top1 ?? record.history.done?.top1).map { Format.fixed($0, 2) } ?? "–",
      (record.result?.loss ?? record.history.done?.loss).map { Format.fixed($0, 4) } ?? "–",
      seconds.map(Format.duration) ?? "–",
    ]
  }

  // Multipliers share an axis only where the runs share their width groups.
  private var widths: Page.Section? {
    guard let first = runs.first else { return nil }
    let comparable = runs.filter { $0.summary.groups.map(\.id) == first.summary.groups.map(\.id) }
    guard comparable.count > 1 else { return nil }
    let table = Page.Table(
      caption: "Multipliers of all \(first.summary.groups.count) groups",
      columns: [("Width group", .text)] + comparable.map { ($0.record.name, .number) },
      rows: first.summary.groups.indices.map { index in
        [first.summary.groups[index].id]
          + comparable.map { run in
            let group = run.summary.groups[index]
            return Format.fixed(Double(group.optimized) / Double(max(1, group.original)), 3)
          }
      })
    return Page.Section(
      id: "widths", heading: "Widths",
      blocks: [
        .figures([Chart.multipliers(comparable.map { ($0.record.name, $0.summary.groups) })]), .details(table),
      ])
  }

  private var training: Page.Section? {
    let curves = records.flatMap { record in
      record.trainings.filter { record.summary == nil || $0.variant == "optimized" }.map {
        TrainingCurve(series: record.name, seed: $0.seed, epochs: $0.history.epochs)
      }
    }
    guard curves.contains(where: { !$0.epochs.isEmpty }) else { return nil }
    let lead: [Page.Block] = runs.isEmpty ? [] : [.paragraph("Of each run, the optimized network.")]
    return Page.Section(
      id: "training", heading: "Training",
      blocks: lead + [
        .figures([Chart.trainingCurves(curves, metric: .top1), Chart.trainingCurves(curves, metric: .loss)]),
        .details(PageParts.epochs(curves)),
      ])
  }

  private var cost: Page.Section? {
    let searches = records.compactMap { record -> (RunRecord, WidthsFile.OverheadRecord, String, Bool)? in
      guard let overhead = record.summary?.overhead ?? record.widths?.overhead else { return nil }
      let projection = record.summary?.projection ?? record.widths?.projection
      return (
        record, overhead, projection.map(PageParts.projection) ?? "–",
        overhead.flops > 0 && overhead.flops >= 0.999 * overhead.directFlops
      )
    }
    guard !searches.isEmpty else { return nil }
    // A measured reduction needs a direct search among the runs, of the same cost as the others would have had.
    func algorithm(_ record: RunRecord) -> String? { record.summary?.algorithm ?? record.widths?.algorithm }
    let hasDirect = searches.contains(where: \.3)
    let table = Page.Table(
      caption: "Searches, beside a search on the whole network and data",
      columns: [
        ("Run", .text), ("Projection", .text), ("MACs", .number), ("Time", .number), ("By the formula", .number),
        ("Counted", .number), ("Measured", .number),
      ],
      rows: searches.map { record, overhead, projection, _ in
        var measured = "–"
        let direct = searches.first {
          $0.3 && algorithm($0.0) == algorithm(record) && abs(overhead.directFlops / $0.1.flops - 1) < 0.02
        }
        if let direct, overhead.seconds > 0 {
          measured = Format.factor(direct.1.seconds / overhead.seconds)
        }
        return [
          record.name, projection, Format.si(overhead.flops), Format.duration(overhead.seconds),
          Format.factor(overhead.nominalReduction), Format.factor(overhead.reduction), measured,
        ]
      })
    let remark =
      !hasDirect
      ? "None of these runs searched directly, so no reduction was measured."
      : "Measured: the time of the direct search of the same method and cost over that of the run."
    return Page.Section(id: "cost", heading: "What the searches cost", blocks: [.table(table), .paragraph(remark)])
  }

  private var made: Page.Section {
    var blocks: [Page.Block] = []
    for record in records {
      if let command = PageParts.command(record) {
        blocks.append(.paragraph(record.name))
        blocks.append(.code(command))
      }
    }
    let facts = records.map { record -> Page.Fact in
      let starts = ([record.history, record.search].compactMap { $0 } + record.trainings.map(\.history))
        .compactMap(\.start)
      let seeds = Set(starts.map(\.seed)).sorted().map(String.init).joined(separator: ", ")
      let devices = Set(starts.map(\.device)).sorted().joined(separator: ", ")
      return Page.Fact(
        name: record.name, value: starts.isEmpty ? "no events" : "seeds \(seeds) on \(devices)")
    }
    return Page.Section(id: "made", heading: "How they were made", blocks: blocks + [.facts(facts)])
  }
}
