import Commands
import Diagnosis
import Foundation
import GraphModels
import Records
import Reporting
import Support

extension ExperimentCommand: EngineWork {
  package func perform() throws {
    guard name != "list", let output, let widths = parsedWidths else {
      try run()
      return
    }
    _ = try compute.prepare(general)
    Interruption.listen()
    let graph = try data.map { try CitationGraph(folder: $0) } ?? CitationGraph.planted()
    let folder = RunFolder(path: output)
    try AtomicFile.createFolder(folder.path)
    let points = try widths.map { width in
      let results = try (0..<seeds).map { seed in try result(graph, width, compute.seed + seed, in: folder) }
      return WidthSweepSummary.Point(width: width, results: results)
    }
    let summary = WidthSweepSummary(
      name: name, model: "a graph convolution with one hidden layer (Kipf and Welling 2017)",
      dataset: data == nil
        ? "a synthetic graph of planted communities" : "\(graph.labels.count) papers, \(graph.edges.count) citations",
      unit: "hidden features", score: "test accuracy (%)", claim: Name.graphConvolution.claim, epochs: epochs,
      points: points)
    try JSONFile.write(summary, to: folder.file("sweep.json"))
    let report = Report(summary)
    for warning in try report.write(to: folder.report, bundle: VegaBundle.find()) { general.warn(warning) }
    if let charts { _ = try report.writeChartSpecifications(to: charts) }
    if json {
      try Output.json(summary)
    } else {
      for point in points {
        let scores = Spread(point.results.map(\.score))
        try Output.text(
          "\(point.width) \(summary.unit): \(point.agreement.pattern.short) in \(Int((point.agreement.agreement * Double(seeds)).rounded())) of "
            + "\(seeds), D \(point.agreement.drop.map { Format.fixed($0, 2) } ?? "–"), \(Format.spread(scores, 2)) %")
      }
      try Output.text("report in \(folder.report)")
    }
  }

  /// A training that is kept under everything that its outcome depends on.
  private struct Kept: Codable {
    var graph: String
    var epochs: Int
    var result: WidthSweepSummary.Result
  }

  private func result(
    _ graph: CitationGraph, _ width: Int, _ seed: Int, in folder: RunFolder
  ) throws -> WidthSweepSummary.Result {
    let place = RunFolder(path: folder.file("width-\(width)"))
    let path = place.file("seed-\(seed).json")
    let fingerprint = graph.fingerprint
    if FileManager.default.fileExists(atPath: path) {
      let kept = try JSONFile.read(Kept.self, path: path, expecting: "remove it, and the same command makes it again")
      guard kept.graph == fingerprint, kept.epochs == epochs else {
        throw UsageFailure("\(path) is of other data or epochs; give another `output`")
      }
      return kept.result
    }
    general.note("\(width) features, seed \(seed)")
    let result = try GraphTraining(graph, hidden: width, epochs: epochs, seed: seed).run { try Interruption.check() }
    try AtomicFile.createFolder(place.path)
    try JSONFile.write(Kept(graph: fingerprint, epochs: epochs, result: result), to: path)
    return result
  }
}
