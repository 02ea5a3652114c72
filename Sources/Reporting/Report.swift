import Foundation
import Records
import Support

/// A page about one run, or about several side by side, that needs no network and no other file.
///
/// ```swift
/// let report = try Report([RunFolder(path: "runs/resnet20")])
/// try report.write(to: "report.html", bundle: VegaBundle.find())
/// ```
public struct Report: Sendable {
  private let page: Page

  /// Reads the run folders and decides what the page says.
  ///
  /// - Parameter folders: One folder of a `run`, a `train`, a `search` or a `compare`; or several of the first three,
  ///   which are compared.
  /// - Throws: ``Support/FileFailure``: `missing` when a folder holds no complete run, `badData` when a file in it is broken;
  ///   ``Support/UsageFailure`` when there is no folder, or a comparison of methods among several.
  public init(_ folders: [RunFolder]) throws {
    // A run of several budgets is one beside the other.
    let folders = folders.flatMap { folder in
      let isWhole = [folder.summary, folder.comparison, folder.events].contains(where: FileManager.default.fileExists)
      return isWhole || folder.budgets.isEmpty ? [folder] : folder.budgets
    }
    let records = try folders.map { try RunRecord($0, prefersRun: folders.count > 1) }
    if records.count == 1, let record = records.first {
      switch record.kind {
      case .run(let summary): page = RunPage(record: record, summary: summary).page()
      case .training: page = TrainingPage(record: record).page()
      case .search: page = SearchPage(record: record).page()
      case .comparison(let summary): page = MethodsPage(record: record, summary: summary).page()
      }
    } else {
      guard !records.isEmpty else { throw UsageFailure("report: name at least one run folder") }
      for record in records {
        guard case .comparison = record.kind else { continue }
        throw UsageFailure(
          "report: \(record.folder.path) is a comparison of search methods, whose page stands alone; give it by itself"
        )
      }
      page = RunsPage(records: records).page()
    }
  }

  /// The page of a diagnosis.
  public init(_ diagnosis: DiagnosisSummary) throws { page = try DiagnosisPage(summary: diagnosis).page() }

  /// The page of the loop between two channels.
  public init(_ loop: LoopSummary) { page = LoopPage(summary: loop).page() }

  /// The page of one layer at several widths.
  public init(_ sweep: WidthSweepSummary) { page = WidthSweepPage(summary: sweep).page() }

  /// The page of networks merged at several thresholds.
  public init(_ merges: MergeSweepSummary) { page = MergeSweepPage(summary: merges).page() }

  /// The page of phenomena of training.
  public init(_ phenomena: PhenomenaSummary) { page = PhenomenaPage(summary: phenomena).page() }

  /// The page's title.
  public var title: String { page.title }

  /// The charts in the order of the page.
  public var charts: [Chart] { page.charts }

  /// The Vega-Lite specification of every chart as a picture file needs it, by the chart's identifier.
  public var chartSpecifications: [String: JSONValue] {
    Dictionary(charts.map { ($0.id, $0.picture()) }, uniquingKeysWith: { first, _ in first })
  }

  /// The page.
  ///
  /// - Parameter bundle: The text of the chart library (``VegaBundle/find(environment:executable:)``); without it the page
  ///   has its tables but no charts, and says how to get them.
  public func html(bundle: String?) throws -> String { try PageRenderer.html(page, bundle: bundle) }

  /// Writes the page.
  ///
  /// - Parameters:
  ///   - path: The file to write; it is replaced as a whole.
  ///   - bundle: The text of the chart library; see ``html(bundle:)``.
  /// - Returns: What a person should be told: that the charts are missing, or nothing.
  @discardableResult
  public func write(to path: String, bundle: String?) throws -> [String] {
    try AtomicFile.write(try html(bundle: bundle), to: path)
    return bundle == nil && !charts.isEmpty ? [VegaBundle.advice] : []
  }

  /// Writes the specification of every chart to `<id>.vl.json` in a folder, for scripts/render-chart.
  ///
  /// - Returns: The paths of the files.
  @discardableResult
  public func writeChartSpecifications(to folder: String) throws -> [String] {
    try AtomicFile.createFolder(folder)
    return try charts.map { chart in
      let path = (folder as NSString).appendingPathComponent("\(chart.id).vl.json")
      try AtomicFile.write(try chart.picture().text(isPretty: true) + "\n", to: path)
      return path
    }
  }

  /// Builds the page of one run folder, with the charts when the chart library is found.
  public static func build(_ folder: RunFolder) throws -> String {
    try Report([folder]).html(bundle: VegaBundle.find())
  }

  /// Writes the page of one run folder into it, as `report.html`.
  ///
  /// - Returns: What a person should be told.
  @discardableResult
  public static func write(_ folder: RunFolder) throws -> [String] {
    try Report([folder]).write(to: folder.report, bundle: VegaBundle.find())
  }
}
