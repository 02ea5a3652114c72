import Commands
import Diagnosis
import Experiments
import Foundation
import ImageFiles
import Methods
import Networks
import Records
import Reporting
import StudyModels
import Support
import Training
import WidthSearch

extension ExperimentCommand: EngineWork {
  package func perform() throws {
    guard let experiment, let output else {
      try listWithTimes()
      return
    }
    _ = try compute.prepare(general)
    Interruption.listen()
    let folder = RunFolder(path: output)
    try AtomicFile.createFolder(folder.path)
    let lock = try FolderLock(folder.path, file: RunFolder.lockName, work: "is at work in this folder")
    defer { lock.unlock() }
    do {
      try carryOut(experiment, in: folder)
    } catch let failure as UsageFailure {
      throw Self.withOwnRemedy(failure)
    }
  }

  /// Of a folder that holds other trainings: experiments have no flag that empties it.
  private static func withOwnRemedy(_ failure: UsageFailure) -> UsageFailure {
    var failure = failure
    if failure.remedy != nil { failure.remedy = "Choose another `output`, or remove that folder to start anew" }
    return failure
  }

  private func carryOut(_ experiment: ExperimentName, in folder: RunFolder) throws {
    let epochs = epochs ?? experiment.epochs(scale)
    if let study = try Study(self, experiment, epochs: epochs) {
      try finish(sweep(study, experiment, epochs, in: folder), in: folder)
    } else if experiment == .loop {
      try finish(LoopSummary(seed: compute.seed), in: folder)
    } else if experiment == .phenomena {
      try finish(phenomena(in: folder), in: folder)
    } else if experiment.streamlines {
      try streamline(experiment, epochs, in: folder)
    } else {
      try follow(experiment, epochs, in: folder)
    }
  }

  /// The list, with times by a few networks that are trained for some seconds.
  private func listWithTimes() throws {
    let device = try compute.prepare(general)
    Interruption.listen()
    let networks = [("resnet20", 0.5), ("resnet18_cifar", 0.125), ("mobilenet_v2_cifar", 0.5), ("resnet18_cifar", 0.5)]
    let timed = try networks.map { name, width in
      let network = try NetworkZoo.network(named: name, classes: 10, resolution: 32).scalingWidth(by: width, divisor: 2)
        .resolved()
      var recipe = try Recipe.named("small")
      recipe.batchSize = 32
      // Without a penalty to speak of, its steps are those of a training.
      let job = SearchJob(
        network: network, dataset: PlantedImages.dataset(), optimizer: NetworkSlimming(.init(width: 1)),
        targets: [network.cost.macs / 2], recipe: recipe, divisor: 2, device: device,
        loaderThreads: compute.loaderThreads)
      general.note("timing \(name) at \(Format.trimmed(width)) of its width")
      let seconds = try job.pace(timedSeconds: 2).perStep
      return (
        load: MachinePace.Load(
          macs: Double(network.cost.macs), activations: Double(network.cost.activations), images: 32), seconds: seconds
      )
    }
    try list(MachinePace(fitting: timed))
  }

  // MARK: - Models that are no networks

  private func sweep(
    _ study: Study, _ experiment: ExperimentName, _ epochs: Int, in folder: RunFolder
  ) throws -> WidthSweepSummary {
    let points = try (widths.flatMap(Self.parsed) ?? experiment.widths ?? []).map { width in
      let place = RunFolder(path: folder.file("width-\(width)"))
      let results = try seedNumbers(experiment).map { try result(study, width, $0, epochs, in: place) }
      return WidthSweepSummary.Point(width: width, results: results)
    }
    return WidthSweepSummary(
      name: name, model: study.model, dataset: study.dataset, unit: study.unit, score: study.score,
      claim: experiment.claim, epochs: epochs, points: points)
  }

  private func seedNumbers(_ experiment: ExperimentName) -> [Int] {
    (0..<(seeds ?? experiment.seeds)).map { compute.seed &+ $0 }
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

  // MARK: - Phenomena

  private struct KeptMeasurement: Codable {
    var sizes: PhenomenaProbes.Sizes
    var measurement: PhenomenaSummary.Measurement
  }

  private func phenomena(in folder: RunFolder) throws -> PhenomenaSummary {
    let sizes = epochs.map(PhenomenaProbes.Sizes.init(atMost:)) ?? .init()
    return PhenomenaSummary(
      seeds: try seedNumbers(.phenomena).map { seed in
        let path = folder.file("seed-\(seed).json")
        if FileManager.default.fileExists(atPath: path) {
          let kept = try JSONFile.read(
            KeptMeasurement.self, path: path, expecting: "remove it, and the same command makes it again")
          guard kept.sizes == sizes else {
            throw UsageFailure("\(path) is of other epochs; give another `output`")
          }
          guard kept.measurement.isSound, kept.measurement.seed == seed else {
            throw FileFailure(
              .badData, path: path, reason: "it is damaged; remove it, and the same command makes it again")
          }
          return kept.measurement
        }
        general.note("seed \(seed): measuring five phenomena")
        let measurement = try PhenomenaProbes(seed: seed, sizes: sizes) { try Interruption.check() }.measure()
        try JSONFile.write(KeptMeasurement(sizes: sizes, measurement: measurement), to: path)
        return measurement
      })
  }

  private func finish(_ summary: PhenomenaSummary, in folder: RunFolder) throws {
    try JSONFile.write(summary, to: folder.file("phenomena.json"))
    try write(Report(summary), to: folder)
    if json { return try Output.json(summary) }
    var table = TextTable(["phenomenon", "measure", "here", "seeds that show it"])
    for row in summary.rows {
      table.add([row.phenomenon.rawValue, row.phenomenon.measure, row.text, "\(row.seen) of \(summary.seeds.count)"])
    }
    try Output.text("\(table.text)\n\nreport in \(folder.report)")
  }

  // MARK: - Networks

  private func follow(_ experiment: ExperimentName, _ epochs: Int, in folder: RunFolder) throws {
    let images = try images()
    var study = NetworkStudy(
      dataset: images, recipe: try recipe(epochs, count: images.training.count), dataFraction: part,
      seeds: seedNumbers(experiment), device: try compute.prepare(general), loaderThreads: compute.loaderThreads,
      sinks: progress)
    // The probe of stage 1 belongs to the layers' own figures; elsewhere it would cost small trainings half as much again.
    if experiment == .layers { study.furtherTracks = [.gradientCosines] }
    let networks = try networks(experiment).map { label, name, factor in
      (label, try NetworkStudy.network(name, width: factor * scale.width(experiment), divisor: divisor, for: images))
    }
    if experiment == .merging {
      try merge(study, networks[0], experiment, epochs, in: folder)
      return
    }
    if experiment == .layerWidths {
      let (_, network) = networks[0]
      let chosen = try LayerSelection.groups(layer ?? "5", of: network)
      guard chosen.count == 1 else { throw UsageFailure("--layer \(layer ?? "5"): name one layer") }
      let points = try study.points(
        of: network, group: chosen[0], widths: widths.flatMap(Self.parsed) ?? experiment.widths ?? [], in: folder.path)
      try finish(
        WidthSweepSummary(
          name: name, model: "\(network.name), its group \(chosen[0])", dataset: described(images),
          unit: "channels", score: "top-1 (%)", claim: experiment.claim, epochs: epochs, points: points), in: folder)
      return
    }
    var all: [String: DiagnosisSummary] = [:]
    for (label, network) in networks {
      let place = RunFolder(path: folder.file(label))
      let trained = try study.trainings(of: network, label, in: place.path)
      let summary = DiagnosisSummary(trained.map(\.tracked))
      all[label] = summary
      try JSONFile.write(summary, to: place.diagnosis)
      let report = try Report(summary)
      for warning in try report.write(to: place.file("diagnosis.html"), bundle: VegaBundle.find()) {
        general.warn(warning)
      }
      if let charts {
        _ = try report.writeChartSpecifications(to: RunFolder(path: charts).file(label))
      }
      if json { continue }
      let scores = Spread(trained.map(\.result.top1))
      try Output.text(
        "\(label), top-1 \(Format.spread(scores, 2)) %\n\(summary.text)\nThe page: \(place.file("diagnosis.html"))\n")
    }
    if json { try Output.json(all) }
  }

  private func images() throws -> Dataset {
    try data.map { try DataOptions.open($0, reading, general) } ?? PlantedImages.dataset()
  }

  private var part: Double { subset.flatMap(Fraction.parse) ?? 1 }
  private var divisor: Int { scale == .small ? 4 : 8 }

  private func progress(_ label: String, _ folder: RunFolder) -> [any EventSink] {
    [ProgressReporter(label: label, isQuiet: general.quiet) { StandardError.write(Flags.spell($0)) }]
  }

  // MARK: - Merging

  // The thresholds of the source's authors for a VGG, and higher ones, since narrow networks have less to merge.
  private static let thresholds = [
    0.001, 0.01, 0.03, 0.05, 0.07, 0.1, 0.12, 0.14, 0.15, 0.18, 0.2, 0.22, 0.24, 0.25, 0.26, 0.28, 0.3, 0.35, 0.4,
  ]

  private func merge(
    _ study: NetworkStudy, _ network: (label: String, resolved: ResolvedNetwork), _ experiment: ExperimentName,
    _ epochs: Int, in folder: RunFolder
  ) throws {
    // The folders of matthew-4: what was trained for it in the same folder is not trained again.
    let trained = try study.trainings(of: network.resolved, network.label, in: folder.file(network.label)).map(
      \.tracked)
    let settings = MergeSettings()
    general.note("merging at \(Self.thresholds.count) thresholds")
    let members = try study.merges(of: trained, at: Self.thresholds, settings: settings) { try Interruption.check() }
    let mergeable = Set(network.resolved.mergeableGroups(settings.scope).map(\.id))
    let groups = DiagnosisSummary(trained).groups.filter { mergeable.contains($0.id) }
    let summary = MergeSweepSummary(
      name: name, network: network.resolved.name, dataset: described(study.dataset), claim: experiment.claim,
      epochs: epochs, settings: settings, groups: groups.map(MergeSweepSummary.Group.init), members: members)
    try JSONFile.write(summary, to: folder.file("merges.json"))
    try write(Report(summary), to: folder)
    if json { return try Output.json(summary) }
    try Output.text("\(summary.verdict)\nreport in \(folder.report)")
  }

  // MARK: - Streamlining

  private func streamline(_ experiment: ExperimentName, _ epochs: Int, in folder: RunFolder) throws {
    let images = try images()
    let device = try compute.prepare(general)
    var compared = try recipe(epochs, count: images.training.count)
    // A training that is compared goes to its end; one that is diagnosed has to go on moving.
    compared.decay = .step
    let followed = try recipe(experiment.diagnosisEpochs(scale, epochs), count: images.training.count)
    var all: [String: ComparisonSummary] = [:]
    var failures: [(failure: any Failure, part: FailedPart)] = []
    for (label, name, factor) in networks(experiment) {
      let target = try NetworkStudy.network(
        name, width: factor * scale.width(experiment), divisor: divisor, for: images)
      var settings = StreamliningSettings()
      (settings.divisor, settings.leastWidth) = (divisor, divisor)
      let study = StreamliningStudy(
        subject: try Subject(
          target: target, dataset: images, dataFraction: part, recipe: compared, divisor: divisor, device: device,
          loaderThreads: compute.loaderThreads),
        diagnosisRecipe: followed, diagnosisSeeds: scale == .full ? seedNumbers(experiment) : [compute.seed],
        seeds: seedNumbers(experiment), settings: settings)
      let place = RunFolder(path: folder.file(label))
      try AtomicFile.createFolder(place.path)
      let outcome: StreamliningStudy.Outcome
      do {
        outcome = try study.run(
          in: place, JobSurroundings(sinks: { label, folder in progress(label, folder) })
        ) { general.warn("\(label), \($0)") }
      } catch let failure as any Failure
        where failure is UsageFailure || failure is TrainingFailure || failure is FailedParts
      {
        // The others may have something to compare.
        let told = (failure as? UsageFailure).map { Self.withOwnRemedy($0) } ?? failure
        failures.append((told, FailedPart(name: label, reason: told.message)))
        if let found = try? DiagnosisSummary(path: place.diagnosis) {
          _ = try Report(found).write(to: place.file("diagnosis.html"), bundle: VegaBundle.find())
        }
        if failure is FailedParts { try? write(Report([place]), to: place, named: label) }
        continue
      }
      all[label] = outcome.comparison
      try write(Report([place]), to: place, named: label)
      let page = try Report(outcome.diagnosis)
      for warning in try page.write(to: place.file("diagnosis.html"), bundle: VegaBundle.find()) {
        general.warn(warning)
      }
      if !json { try Output.text("\(label)\n\(outcome.text)\nreport in \(place.report)\n") }
    }
    if json { try Output.json(all) }
    guard let first = failures.first else { return }
    guard failures.contains(where: { !($0.failure is UsageFailure) }) else {
      throw UsageFailure(failures.map { "\($0.part.name): \($0.part.reason)" }.joined(separator: "; "))
    }
    throw FailedParts(failures.map(\.part), exitCode: first.failure.exitCode)
  }

  private func described(_ images: Dataset) -> String {
    data == nil ? "synthetic images" : "\(subset.map { "\($0) of " } ?? "")\(images.name)"
  }

  // The source's steps, or fewer at a rate that stays: the learning rate must not fall before layers are done.
  private func recipe(_ epochs: Int, count: Int) throws -> Recipe {
    var recipe = try Recipe.named("cifar")
    recipe.epochs = epochs
    recipe.batchSize = min(recipe.batchSize, max(1, count / 4))
    if scale == .small { (recipe.decay, recipe.weightDecay) = (.constant, 5e-4) }
    return recipe
  }

  // MARK: - What comes of it

  private func finish(_ summary: WidthSweepSummary, in folder: RunFolder) throws {
    try JSONFile.write(summary, to: folder.file("sweep.json"))
    try write(Report(summary), to: folder)
    if json { return try Output.json(summary) }
    for point in summary.points {
      let scores = Spread(point.results.map(\.score))
      try Output.text(
        "\(point.width) \(summary.unit): \(point.agreement.words), D "
          + "\(point.agreement.drop.map { Format.fixed($0, 2) } ?? "–"), \(summary.score) \(Format.spread(scores, 2))")
    }
    try Output.text("report in \(folder.report)")
  }

  private func finish(_ summary: LoopSummary, in folder: RunFolder) throws {
    try JSONFile.write(summary, to: folder.file("loop.json"))
    try write(Report(summary), to: folder)
    if json { return try Output.json(summary) }
    try Output.text(
      "the channel with the larger outgoing weight has the larger gradient in \(Format.percent(100 * summary.loop.agreement, 0)) of the steps; "
        + "report in \(folder.report)")
  }

  private func write(_ report: Report, to folder: RunFolder, named part: String? = nil) throws {
    for warning in try report.write(to: folder.report, bundle: VegaBundle.find()) { general.warn(warning) }
    guard let charts else { return }
    _ = try report.writeChartSpecifications(to: part.map { RunFolder(path: charts).file($0) } ?? charts)
  }
}

extension StreamliningStudy.Outcome {
  /// The networks with their costs and differences from the original, and how their layers are found to be.
  fileprivate var text: String {
    let original = comparison.arms.first { $0.algorithm == UniformWidths.name }
    var table = TextTable(
      ["network", "parameters", "MACs", "top-1 (%)", "over the original", "95 % interval"], numbers: [1, 2, 3, 4, 5])
    for arm in comparison.arms {
      let first = arm.members.first
      let difference =
        arm == original ? nil : original.flatMap { PairedDifference(arm.top1BySeed, minus: $0.top1BySeed) }
      table.add([
        arm == original ? "original" : arm.algorithm, first.map { Format.amount($0.parameters) } ?? "–",
        first.map { Format.amount($0.macs) } ?? "–", Format.spread(Spread(arm.members.map(\.result.top1)), 2),
        difference.map { Format.signed($0.value, 2) } ?? "–",
        difference?.interval == nil ? "–" : difference?.intervalText ?? "–",
      ])
    }
    func layers(_ name: String, _ diagnosis: DiagnosisSummary) -> String {
      let narrow = diagnosis.groups.count { $0.pattern == .decreaseToSaturate }
      let wide = diagnosis.groups.count { $0.pattern == .increaseToSaturate }
      let remarks = [diagnosis.shortSeries, diagnosis.remark].compactMap { $0 }
      return
        "\(name): of \(diagnosis.groups.count) layers \(narrow) are too narrow, \(wide) wide enough, "
        + "\(diagnosis.groups.count - narrow - wide) undecided."
        + remarks.map { " \($0)" }.joined()
    }
    return table.text + "\n\n" + layers("The original as it was diagnosed", diagnosis) + "\n"
      + layers("The streamlined network in the comparison, whose trainings are shorter", streamlinedDiagnosis)
  }
}
