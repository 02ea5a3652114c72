import Commands
import Diagnosis
import Foundation
import Records
import Reporting
import StudyModels
import Support

extension ExperimentCommand: EngineWork {
  package func perform() throws {
    guard let experiment, let output else {
      try run()
      return
    }
    _ = try compute.prepare(general)
    Interruption.listen()
    let (epochs, seeds) = (epochs ?? experiment.epochs(scale), seeds ?? experiment.seeds)
    let study = try Study(self, experiment, epochs: epochs)
    let folder = RunFolder(path: output)
    try AtomicFile.createFolder(folder.path)
    let points = try (widths.flatMap(Self.parsed) ?? experiment.widths).map { width in
      let place = RunFolder(path: folder.file("width-\(width)"))
      let results = try (0..<seeds).map { try result(study, width, compute.seed + $0, epochs, in: place) }
      return WidthSweepSummary.Point(width: width, results: results)
    }
    let summary = WidthSweepSummary(
      name: name, model: study.model, dataset: study.dataset, unit: study.unit, score: study.score,
      claim: experiment.claim, epochs: epochs, points: points)
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
            + "\(seeds), D \(point.agreement.drop.map { Format.fixed($0, 2) } ?? "–"), \(summary.score) \(Format.spread(scores, 2))"
        )
      }
      try Output.text("report in \(folder.report)")
    }
  }

  private func result(
    _ study: Study, _ width: Int, _ seed: Int, _ epochs: Int, in folder: RunFolder
  ) throws -> WidthSweepSummary.Result {
    var told = Date.distantPast
    return try StudyRun(in: folder, seed: seed, identity: study.identity).result(
      check: { try Interruption.check() },
      tell: { epoch, loss in
        guard epoch == epochs || Date().timeIntervalSince(told) > 30 else { return }
        told = Date()
        general.note(
          "\(width) \(study.unit), seed \(seed): epoch \(epoch)/\(epochs), training loss \(Format.decimal(loss, 4))")
      },
      { try study.make(width, seed) })
  }
}
