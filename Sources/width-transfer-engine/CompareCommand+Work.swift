import Commands
import Experiments
import Foundation
import Methods
import Networks
import Records
import Reporting
import Support
import Training
import Transfer
import WidthSearch

extension CompareCommand: EngineWork {
  package static var worksTogether: Bool { true }

  package func perform() throws {
    try require(seeds, "--seeds", in: 1...1000)
    try require(searches, "--searches", in: 1...1000)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw UsageFailure("--algorithm \(twice) is given twice")
    }
    let requests = try names.map(MethodRequest.init(parsing:))
    let optimizers = try transfer.optimizers(requests).map { try $0.searching() }
    let subject = try transfer.subject(
      network: network, data: data, recipe: recipe, compute: compute, general, jobs: jobs, tracks: tracking.track)
    let given = try widths.map { path in
      let own = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
      // `streamline --control uniform` is likely to be called so, and is not the network itself.
      let name = WidthOptimizers.names.contains(own) ? "\(own)-widths" : own
      return ComparePlan.Given(name: name, widths: try subject.target.with(widthsFile: path).widths)
    }
    let projections = try transfer.projections()
    let finding = try transfer.finding(
      optimizers[0], subject, projections.first ?? .identity, transfer.stackings.first ?? .averageBlock,
      seed: compute.seed)
    if skipsDirect, projections.allSatisfy({ $0 == .identity }) {
      throw UsageFailure("--no-direct leaves nothing to search on: give a --project")
    }
    if let request = requests.first(where: { $0.place == .transferred }), projections.allSatisfy({ $0 == .identity }) {
      throw UsageFailure("--algorithm \(request.text) leaves nothing to search on: give a --project")
    }
    guard finding.budgets.count == 1 else {
      throw UsageFailure("methods are compared at one budget: give --flops once, or --parameters")
    }
    // A process that does one part cannot know how many seeds there will have been.
    let most = jobs.part != nil && untilDecided != nil ? mostSeeds : seeds
    var plan = ComparePlan(
      subject: subject,
      methods: try zip(requests, optimizers).map { request, optimizer in
        .init(
          optimizer: optimizer,
          searchRecipe: try request.searchRecipe(
            for: optimizer, from: subject.recipe, epochs: transfer.searchEpochs,
            learningRate: transfer.searchLearningRate),
          name: request.text, place: request.place)
      }, given: given, projections: projections, stackings: transfer.stackings, budget: finding.budgets[0],
      searchesDirectly: !skipsDirect, seeds: (0..<most).map { compute.seed &+ $0 })
    plan.searches = searches
    try plan.validate()
    if untilDecided != nil, !plan.hasDifferences {
      throw UsageFailure(
        "--until-decided has nothing to decide: add --algorithm uniform, or a --project beside the direct search")
    }
    if try jobs.isPart(of: plan, output, isShared: sharing.isShared) { return }
    if sharing.gather, !FileManager.default.fileExists(atPath: RunFolder(path: output.output).configuration) {
      // Before a folder is made and a configuration written.
      throw UsageFailure("\(output.output): there is no comparison in this folder, so that there is nothing to gather")
    }
    let cohort = try launcher.cohort(jobs, isShared: sharing.isShared)
    let remark = output.overwrite || sharing.gather ? nil : launcher.remark(in: RunFolder(path: output.output), cohort)
    let configuration = try Resolved.configuration(
      "compare", network, data, subject.dataset, subject.recipe, compute, on: subject.device,
      more: [
        "seeds": "\(seeds)", "until-decided": untilDecided.map { "\($0)" },
        "most-seeds": untilDecided == nil ? nil : "\(mostSeeds)",
        "searches": searches.map { "\($0)" }, "no-direct": skipsDirect ? "true" : nil,
        "search-epochs": transfer.searchEpochs.map { "\($0)" },
        "stop-when-settled": transfer.stopWhenSettled ? "true" : nil,
        "search-learning-rate": transfer.searchLearningRate.map { "\($0)" },
        "latency-table": transfer.timing.latencyTable.map(Resolved.path),
      ].merging(launcher.resolved(cohort)) { $1 },
      lists: transfer.lists.merging([
        "algorithm": names, "widths": widths.map(Resolved.path), "track": tracking.track.map(\.rawValue),
      ]) { $1 })
    var reading = try cohort.isWriter ? transfer.timing.reading(for: subject.target, subject.device, general) : nil
    if sharing.isShared { reading?.clock = nil }
    let outcome = try output.session(configuration, general, with: cohort, isShared: sharing.isShared) {
      folder, surroundings -> Outcome? in
      // Where all is trained, nothing is to be trained otherwise.
      if let remark, try !plan.missing(plan.parts, in: folder).isEmpty { general.warn(remark) }
      let former = try? JSONFile.read(
        ComparisonSummary.self, path: folder.comparison, expecting: "what compare writes")
      guard var outcome = try carryOut(plan, in: folder, surroundings), cohort.isWriter else { return nil }
      // When all is trained, so that nothing of this comparison is busy beside it; of others' work nothing is known.
      if let reading { outcome.summary = try plan.timed(outcome.summary, by: reading, keeping: former, in: folder) }
      for warning in try Report.write(folder) { general.warn(warning) }
      return outcome
    }
    guard let outcome = outcome ?? nil else { return }
    if let failed = outcome.summary.failed {
      general.note("what is done is in \(RunFolder(path: output.output).report)")
      throw FailedParts(failed, exitCode: outcome.exitCode)
    }
    if output.json { try Output.json(outcome.summary) } else { try tell(outcome.summary) }
  }

  /// What came of a comparison, and what the program ends with where parts of it failed.
  private struct Outcome {
    var summary: ComparisonSummary
    var exitCode: ExitStatus = .badData
  }

  /// Compares; nil where a shard has no part and nothing is done yet.
  private func carryOut(_ plan: ComparePlan, in folder: RunFolder, _ surroundings: JobSurroundings) throws -> Outcome? {
    guard sharing.isShared else {
      var plan = plan
      plan.stopping = untilDecided.map { .init(halfInterval: $0, mostSeeds: mostSeeds) }
      while true {
        do {
          try jobs.perform(plan, output, general)
        } catch let failure as FailedParts {
          return try gather(plan, in: folder, after: failure)
        }
        let summary = try plan.run(in: folder, surroundings)
        guard let untilDecided, plan.seeds.count < mostSeeds, summary.failed == nil else {
          return Outcome(summary: summary)
        }
        if let half = summary.widestHalfInterval {
          general.note(
            "with \(Format.number(plan.seeds.count, "seed")) the widest interval is ± \(Format.decimal(half, 2)) points"
          )
          if half <= untilDecided, plan.seeds.count >= Self.leastSeeds { return Outcome(summary: summary) }
        }
        plan.seeds.append(compute.seed &+ plan.seeds.count)
      }
    }
    if !sharing.gather {
      do {
        try jobs.perform(plan, .compare, sharing, output, general)
      } catch let failure as FailedParts {
        return try gather(plan, in: folder, after: failure)
      }
    }
    if !sharing.gather, sharing.share(of: plan.parts).isEmpty,
      try plan.missing(plan.parts, in: folder).count == plan.parts.count
    {
      general.note(
        "this shard has no part of the comparison's \(plan.parts.count), and the others have not done any yet")
      return nil
    }
    return Outcome(summary: try plan.gather(in: folder))
  }

  // What is done is shown, and what failed with it.
  private func gather(_ plan: ComparePlan, in folder: RunFolder, after failure: FailedParts) throws -> Outcome {
    do {
      return Outcome(summary: try plan.gather(in: folder, failed: failure.parts), exitCode: failure.exitCode)
    } catch is UsageFailure { throw failure }
  }

  private func tell(_ summary: ComparisonSummary) throws {
    let baseline = summary.arms.first { $0.mode == .control && $0.algorithm == "uniform" }
    for arm in summary.arms {
      let spread = Spread(arm.members.map(\.result.top1))
      let seconds = Spread(arm.members.compactMap { $0.overhead?.seconds })
      var text = "\(arm.algorithm), \(arm.mode.rawValue): top-1 \(Format.spread(spread, 2)) %"
      if let baseline, arm != baseline,
        let difference = PairedDifference(arm.top1BySeed, minus: baseline.top1BySeed)
      {
        text += ", \(Format.signed(difference.value, 2)) over uniform"
        if difference.interval != nil {
          text += " (95 % interval \(difference.intervalText), \(difference.count) pairs)"
        }
      }
      if let predicted = Spread(arm.members.compactMap(\.latency?.predicted)) {
        let measured = Spread(arm.members.compactMap(\.latency?.measured)).map { Format.milliseconds($0.mean) }
        text +=
          ", \(measured.map { "\($0) (" } ?? "")\(Format.milliseconds(predicted.mean)) predicted\(measured == nil ? "" : ")")"
      }
      let way = [arm.projection.map(\.description), arm.stacking?.rawValue].compactMap { $0 }.joined(separator: ", ")
      if !way.isEmpty { text = "\(way): " + text }
      try Output.text(text + (seconds.map { ", search \(Format.decimal($0.mean, 0)) s" } ?? ""))
    }
    if let missing = summary.missing {
      let all = missing.count + summary.arms.reduce(0) { $0 + $1.members.count }
      try Output.text("\(missing.count) of \(all) are missing: \(Format.list(missing, most: 6))")
    }
    try Output.text("report in \(RunFolder(path: output.output).report)")
  }
}
