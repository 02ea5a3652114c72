import Commands
import Diagnosis
import Experiments
import Foundation
import ImageFiles
import Interchange
import Merging
import Methods
import Networks
import Records
import Support
import Torch
import Training

extension MergeCommand: EngineWork {
  package func perform() throws {
    var settings = MergeSettings()
    (settings.mode, settings.scope) = (mode, scope)
    (settings.threshold, settings.largestRatio) = (threshold, largestRatio)
    try settings.validate()
    let path = Self.weights(of: source)
    try refuseTraining(in: RunFolder(path: output), weights: path)
    let file = try WeightsFile(path: path)
    let model = try Model(try built(file), seed: 0, device: try compute.prepare(general))
    try model.load(file)
    guard try model.isFinite() else {
      throw FileFailure(
        .badData, path: path, reason: "some of its weights are not numbers: the training that wrote them diverged")
    }
    let images = try dataset.map { try data($0, file) }
    let job = try images.map { try evaluationJob(model.plan.resolved, $0, model.device) }
    let before = try job.map { try model.evaluate($0.heldOutLoader()) }
    var merger = try FeatureMerger(model, settings: settings)
    let outcome = try merger.run { try Interruption.check() }
    let merged = outcome.model
    let after = try job.map { (job: TrainingJob) throws -> Evaluation in
      if recalibrate > 0 { try merged.recalibrate(batches: recalibrate, of: job.trainingLoader()) }
      return try merged.evaluate(job.heldOutLoader())
    }
    let (old, new) = (model.plan.resolved, merged.plan.resolved)
    let record = MergeRecord(
      network: old.name, settings: settings, sweeps: outcome.sweeps, recalibrationBatches: recalibrate,
      before: .init(old, top1: before?.top1, loss: before?.loss),
      after: .init(new, top1: after?.top1, loss: after?.loss),
      widthsBefore: old.widths, widths: new.widths, members: outcome.members,
      survival: try survival(of: new, from: old))
    try AtomicFile.createFolder(output)
    let folder = RunFolder(path: output)
    // What the weights say of their classes and images holds for the merged ones too.
    let own: Set<String> = ["network", "widths", "architecture", "run"]
    try merged.save(to: folder.model, metadata: file.metadata.filter { !own.contains($0.key) })
    try WidthsFile(
      network: new.name, algorithm: "merge", macs: new.cost.macs, parameters: new.cost.parameters, widths: new.widths,
      multipliers: PerGroup(new) { Double($0.width) / Double(old.widths[$0.id] ?? $0.width) },
      relativeTo: .trained
    ).write(to: folder.widths)
    try JSONFile.write(record, to: folder.file("merge.json"))
    if json {
      try Output.json(record)
    } else {
      try Output.text(record.text(folder))
    }
  }

  // A training whose norms were followed says which layers are wide enough: do these lose more?
  private func survival(of new: ResolvedNetwork, from old: ResolvedNetwork) throws -> MergeSurvival? {
    let folder = RunFolder(path: source)
    guard folder.weightNorms.exists else { return nil }
    let training = try TrackedTraining(folder)
    guard training.network.widths == old.widths else { return nil }
    let found = DiagnosisSummary([training])
    let merged = Set(old.mergeableGroups(scope).map(\.id))
    return MergeSurvival(of: new.widths, found.groups.filter { merged.contains($0.id) })
  }

  // A training's weights are not made again in a moment.
  private func refuseTraining(in folder: RunFolder, weights: String) throws {
    func real(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
    let kept = [folder.configuration, folder.events, folder.result].filter {
      FileManager.default.fileExists(atPath: $0)
    }
    guard kept.isEmpty, real(folder.model) != real(weights) else {
      throw UsageFailure("\(output) holds a training, whose weights would be overwritten; give another `output`")
    }
  }

  private static func weights(of source: String) -> String {
    let inside = RunFolder(path: source).model
    return FileManager.default.fileExists(atPath: inside) ? inside : source
  }

  private func built(_ file: WeightsFile) throws -> ResolvedNetwork {
    var built: ResolvedNetwork
    if let named = try network.build() {
      built = try network.classes == nil ? named.takingClasses(from: file) : named
    } else {
      guard let described = try file.network() else {
        throw UsageFailure("\(file.path) does not say which network it belongs to; name it with `network`")
      }
      built = try described.resolved()
    }
    if let widths { built = try built.with(widthsFile: widths) }
    return built
  }

  private func data(_ name: String, _ file: WeightsFile) throws -> Dataset {
    let dataset = try DataOptions.open(name, reading, general)
    guard let context = try TrainedContext(file) else { return dataset }
    return try context.applied(to: dataset, namesMatter: true)
  }

  private func evaluationJob(_ network: ResolvedNetwork, _ dataset: Dataset, _ device: Device) throws -> TrainingJob {
    var recipe = Recipe()
    recipe.batchSize = batchSize
    let job = TrainingJob(
      network: network, dataset: dataset, recipe: recipe, device: device, loaderThreads: compute.loaderThreads)
    try job.validate(isTrained: false)
    if recalibrate > 0 { try job.requireStatistics() }
    return job
  }
}

extension MergeRecord {
  fileprivate func text(_ folder: RunFolder) -> String {
    func part(_ new: Int, _ old: Int) -> String { Format.percent(100 * Double(new) / Double(max(old, 1)), 1) }
    var text =
      "\(after.featureComplexity) of \(before.featureComplexity) channels are left: \(Format.amount(after.parameters)) parameters "
      + "(\(part(after.parameters, before.parameters))), \(Format.amount(after.macs)) MACs (\(part(after.macs, before.macs)))"
    if let old = before.top1, let new = after.top1 {
      text += "; top-1 \(Format.percent(old)) before, \(Format.percent(new)) after"
    }
    text += "; weights in \(folder.model)"
    guard let survival else { return text }
    func percent(_ part: Double?) -> String { part.map { Format.percent(100 * $0, 1) } ?? "– (there is none)" }
    var table = TextTable(["group", "channels", "left", "pattern", "D"], numbers: [1, 2, 4])
    for group in survival.groups {
      let (before, after) = (widthsBefore[group.id] ?? 0, widths[group.id] ?? 0)
      table.add([
        group.id, "\(before)", "\(after)", group.pattern.rawValue, group.drop.map { Format.fixed($0, 2) } ?? "–",
      ])
    }
    text += "\n\n\(table.text)\n\n"
    text +=
      "Of the channels of layers that are wide enough \(percent(survival.wideEnough)) are left, of those that are too narrow "
      + "\(percent(survival.tooNarrow))"
    if let test = survival.test { text += " (Mann-Whitney p = \(Format.fixed(test.p, 3)))" }
    if let correlation = survival.correlation {
      text += "; Spearman's ρ of what is left and D is \(Format.fixed(correlation, 2))"
    }
    return text + "."
  }
}
