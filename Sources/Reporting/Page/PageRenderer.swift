import Foundation
import Mustache
import Networks

/// Turns a ``Page`` into one HTML file that needs nothing else.
enum PageRenderer {
  /// Renders the page; without a bundle the figures are left out and a note says why.
  static func html(_ page: Page, bundle: String?) throws -> String {
    let template = try MustacheTemplate(string: PageTemplate.html)
    let library = try MustacheLibrary(templates: ["table": MustacheTemplate(string: PageTemplate.table)])
    let charts = page.charts
    let isDrawing = bundle != nil && !charts.isEmpty
    let specifications = JSONValue.object(
      Dictionary(charts.map { ($0.id, $0.specification) }, uniquingKeysWith: { first, _ in first }))
    let view = PageView(
      pageTitle: page.title, subtitle: page.subtitle, style: PageStyle.css,
      notice: bundle == nil && !charts.isEmpty ? VegaBundle.advice : nil,
      sections: page.sections.map { SectionView($0, isDrawing: isDrawing) },
      drawing: isDrawing
        ? DrawingView(
          specifications: try specifications.scriptText(), script: PageScript.draw,
          bundle: safeScript(bundle ?? "")) : nil)
    return template.render(view, library: library)
  }

  // An end tag inside a string of the script would end the element.
  private static func safeScript(_ script: String) -> String {
    script
      .replacingOccurrences(of: "</script", with: "<\\/script", options: .caseInsensitive)
      .replacingOccurrences(of: "<!--", with: "\\x3c!--")
  }
}

// What the template sees. Names differ between levels, because an absent member is looked up in the level above.

private struct PageView {
  let pageTitle: String
  let subtitle: String
  let style: String
  let notice: String?
  let sections: [SectionView]
  let drawing: DrawingView?
}

private struct DrawingView {
  let specifications: String
  let script: String
  let bundle: String
}

private struct SectionView {
  let anchor: String
  let heading: String
  let blocks: [BlockView]

  init(_ section: Page.Section, isDrawing: Bool) {
    anchor = section.id
    heading = section.heading
    blocks = section.blocks.compactMap { BlockView($0, isDrawing: isDrawing) }
  }
}

private struct BlockView {
  var paragraph: String?
  var headline: String?
  var tileGroup: TileGroupView?
  var table: TableView?
  var details: TableView?
  var figures: FiguresView?
  var factGroup: FactGroupView?
  var code: String?
  var source: SourceView?
  var noteGroup: NoteGroupView?

  init?(_ block: Page.Block, isDrawing: Bool) {
    switch block {
    case .paragraph(let text): paragraph = text
    case .headline(let text): headline = text
    case .tiles(let tiles): tileGroup = TileGroupView(tiles: tiles.map(TileView.init))
    case .table(let table): self.table = TableView(table)
    case .details(let table): details = TableView(table)
    case .figures(let charts):
      guard isDrawing, !charts.isEmpty else { return nil }
      figures = FiguresView(
        count: charts.count == 1 ? "one" : "two", charts: charts.map(ChartView.init))
    case .facts(let facts):
      guard !facts.isEmpty else { return nil }
      factGroup = FactGroupView(facts: facts.map { FactView(factName: $0.name, factValue: $0.value) })
    case .code(let text): code = text
    case .source(let title, let text): source = SourceView(sourceTitle: title, sourceText: text)
    case .notes(let notes):
      guard !notes.isEmpty else { return nil }
      noteGroup = NoteGroupView(notes: notes)
    }
  }
}

private struct TileGroupView {
  let tiles: [TileView]
}

private struct FactGroupView {
  let facts: [FactView]
}

private struct NoteGroupView {
  let notes: [String]
}

private struct TileView {
  let tileLabel: String
  let tileValue: String
  let tileDetail: String
  let tone: String

  init(_ tile: Page.Tile) {
    tileLabel = tile.label
    tileValue = tile.value
    tileDetail = tile.detail
    tone = tile.tone.rawValue
  }
}

private struct FiguresView {
  let count: String
  let charts: [ChartView]
}

private struct ChartView {
  let chart: String
  let chartTitle: String
  let chartCaption: String

  init(_ chart: Chart) {
    self.chart = chart.id
    chartTitle = chart.title
    chartCaption = chart.caption
  }
}

private struct FactView {
  let factName: String
  let factValue: String
}

private struct SourceView {
  let sourceTitle: String
  let sourceText: String
}

private struct TableView {
  let tableCaption: String
  let columns: [CellView]
  let rows: [RowView]

  init(_ table: Page.Table) {
    tableCaption = table.caption
    columns = table.columns.map { CellView(cell: $0.title, cellClass: $0.alignment == .number ? "number" : "text") }
    rows = table.rows.map { row in
      RowView(
        first: row.first ?? "",
        cells: zip(row, table.columns).dropFirst().map { value, column in
          CellView(cell: value, cellClass: column.alignment == .number ? "number" : "text")
        })
    }
  }
}

private struct RowView {
  let first: String
  let cells: [CellView]
}

private struct CellView {
  let cell: String
  let cellClass: String
}
