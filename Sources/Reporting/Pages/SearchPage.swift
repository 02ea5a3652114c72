import Foundation
import Networks
import Records
import Support
import Transfer

/// The page of a single search.
struct SearchPage {
  let record: RunRecord

  func page() -> Page {
    let network = record.widths?.network ?? history.start?.network ?? record.name
    let algorithm = (record.widths?.algorithm ?? record.setting("algorithm")).map(PageParts.algorithm)
    return Page(
      title: "Widths for \(network)",
      subtitle: (algorithm.map { "Found by \($0)" } ?? "Found by a width search")
        + (record.widths?.projection.map {
          $0 == .identity ? " on the whole network and data." : " on a projected network: \(PageParts.projection($0))."
        } ?? "."),
      sections: [result, widths, search, cost, asked, warnings, made].compactMap { $0 })
  }

  // A search's folder has its events in the folder of the search itself, beside the widths that it led to.
  private var history: EventHistory { record.search ?? record.history }

  private var points: [RunEvent.Search] {
    // The way is that of the projected network, and the budget the whole one's.
    let target = record.widths?.projection == .identity ? Double(record.widths?.targetMacs ?? 0) : 0
    if let searches = record.search?.searches, !searches.isEmpty {
      // A search for several budgets does not know which of them this page is about.
      return searches.map { search in
        var search = search
        if search.targetMACs <= 0 { search.targetMACs = target }
        return search
      }
    }
    let way = record.widths?.history ?? []
    return way.map { point in
      RunEvent.Search(
        step: point.step, totalSteps: way.last?.step ?? 0, stage: "search", loss: .nan, macs: point.macs,
        targetMACs: target, widths: point.widths, imagesPerSecond: .nan)
    }
  }

  private var result: Page.Section {
    var tiles: [Page.Tile] = []
    if let macs = record.widths?.macs {
      tiles.append(
        .init(
          label: "MACs at these widths", value: Format.si(Double(macs)),
          detail: record.widths?.targetMacs.map { "budget \(Format.si(Double($0)))" } ?? ""))
    }
    if record.widths == nil, let decided = history.widths {
      tiles.append(
        .init(
          label: "MACs at these widths", value: Format.si(Double(decided.macs)),
          detail: points.last.flatMap { $0.targetMACs > 0 ? "budget \(Format.si($0.targetMACs))" : nil } ?? ""))
    }
    if let parameters = record.widths?.parameters {
      tiles.append(.init(label: "Parameters", value: Format.si(Double(parameters)), detail: ""))
    }
    if let overhead = record.widths?.overhead {
      tiles.append(
        .init(
          label: "Search cost reduced", value: Format.factor(overhead.reduction),
          detail: overhead.nominalReduction.map { "\(Format.factor($0)) by the formula" } ?? "counted in MACs"))
      tiles.append(
        .init(
          label: "Time", value: Format.duration(overhead.seconds),
          detail: overhead.predictedSeconds.map { "of the search; predicted \(Format.duration($0))" } ?? "of the search"
        ))
    }
    var blocks: [Page.Block] = tiles.isEmpty ? [] : [.tiles(tiles)]
    if record.widths == nil, history.widths == nil {
      blocks.insert(.headline("This search has not decided on widths yet; what follows is its state so far."), at: 0)
    }
    return Page.Section(id: "result", heading: "Result", blocks: blocks)
  }

  // Before it is extrapolated, a search's result stands in its events alone.
  private var widths: Page.Section? {
    let decided = history.widths.map {
      WidthsFile(network: $0.network, macs: $0.macs, widths: Widths($0.widths))
    }
    return (record.widths ?? decided).flatMap(Self.widthsSection)
  }

  private var search: Page.Section? {
    Self.history(
      points, groups: record.widths.map(Self.groups) ?? [], lead: nil, evidence: record.widths?.evidence)
  }

  private var cost: Page.Section? {
    guard let overhead = record.widths?.overhead else { return nil }
    return Page.Section(
      id: "cost", heading: "What it cost",
      blocks: [.table(RunPage.reductions(overhead))] + PageParts.choice(record.projectionChoice))
  }

  private var asked: Page.Section? {
    let names = [
      "network", "dataset", "algorithm", "flops", "parameters", "latency", "project", "fix", "divisor", "stacking",
      "epochs",
    ]
    let facts = names.compactMap { name in
      record.setting(name).map { Page.Fact(name: name.prefix(1).uppercased() + name.dropFirst(), value: $0) }
    }
    let all = facts + PageParts.recipe(record, besides: facts)
    return all.isEmpty ? nil : Page.Section(id: "asked", heading: "What was asked", blocks: [.facts(all)])
  }

  private var warnings: Page.Section? {
    PageParts.warnings([("search", history)], gaps: record.gaps)
  }

  private var made: Page.Section {
    PageParts.provenance(
      record, starts: [history.start].compactMap { $0 }, resumes: history.resumes)
  }

  /// The charts of a search; nil when nothing of it is known.
  static func history(
    _ points: [RunEvent.Search], groups: [RunSummary.Group], lead: String?, evidence: WidthsFile.Evidence? = nil
  ) -> Page.Section? {
    guard !points.isEmpty else { return nil }
    let stages = groups.map { (group: $0.id, stage: $0.stage ?? "outside the stages") }
    var charts = [Chart.searchCost(points)]
    if points.contains(where: { !$0.widths.isEmpty }) {
      charts.append(Chart.searchWidths(points, stages: stages))
    }
    return Page.Section(
      id: "search", heading: "Search",
      blocks: (lead.map { [.paragraph($0)] } ?? []) + [.figures(charts)]
        + (evidence.map { [.facts(PageParts.evidence($0))] } ?? []) + [.details(PageParts.searchSteps(points))])
  }

  /// The widths of a file, in numeric order of their groups' names; original widths follow from the multipliers.
  static func groups(_ widths: WidthsFile) -> [RunSummary.Group] {
    widths.widths.values.sorted { $0.key.compare($1.key, options: .numeric) == .orderedAscending }.map { id, width in
      // A file from outside may say anything.
      let own = widths.multipliers?[id].map { (Double(width) / $0).rounded() } ?? Double(width)
      return RunSummary.Group(
        id: id, stage: nil, original: (1...1e9).contains(own) ? Int(own) : width, optimized: width)
    }
  }

  static func widthsSection(_ widths: WidthsFile) -> Page.Section? {
    let groups = groups(widths)
    guard !groups.isEmpty else { return nil }
    if widths.relativeTo == .trained {
      let table = Page.Table(
        caption: "Channels of all \(groups.count) groups, and those of the trained network that they come from",
        columns: [("Width group", .text), ("Trained", .number), ("Channels", .number)],
        rows: groups.map { [$0.id, Format.count($0.original), Format.count($0.optimized)] })
      return Page.Section(id: "widths", heading: "Widths", blocks: [.table(table)])
    }
    guard widths.multipliers != nil else {
      let table = Page.Table(
        caption: "Channels of all \(groups.count) groups", columns: [("Width group", .text), ("Channels", .number)],
        rows: groups.map { [$0.id, Format.count($0.optimized)] })
      return Page.Section(id: "widths", heading: "Widths", blocks: [.table(table)])
    }
    return Page.Section(
      id: "widths", heading: "Widths",
      blocks: [
        .figures([Chart.widths(groups)]), .figures([Chart.multipliers([("optimized", groups)])]),
        .details(PageParts.widths(groups)),
      ])
  }
}
