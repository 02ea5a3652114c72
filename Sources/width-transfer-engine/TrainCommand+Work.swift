import Commands
import Diagnosis
import Experiments
import Foundation
import ImageFiles
import Merging
import Methods
import Networks
import Records
import Support
import Training

extension TrainCommand: EngineWork {
  package static var worksTogether: Bool { true }

  package func perform() throws {
    let recipe = try recipe.build()
    let fraction = try data.fraction
    let dataset = try data.open(general)
    var built = try network.build(for: dataset, general)
    if let widths { built = try built.with(widthsFile: widths) }
    let device = try compute.prepare(general)
    var rules = AdaptationRules()
    // Multiples down to the first one, whatever the rules have for the usual divisor.
    (rules.multiple, rules.leastWidth) = (network.divisor, network.divisor)
    let tracks = Set(tracking.track + (adaptWidths ? [.weightNorms] : []))
    let job = TrainingJob(
      network: built, dataset: dataset, recipe: recipe, dataFraction: fraction, seed: compute.seed, device: device,
      loaderThreads: compute.loaderThreads, tracks: tracks,
      adapter: adaptWidths ? ChannelWidthAdapter(rules, seed: compute.seed) : nil)
    try job.validate()
    let cohort = try launcher.cohort()
    let configuration = try Resolved.configuration(
      "train", network, data, dataset, recipe, compute, on: device,
      more: ["widths": widths.map(Resolved.path), "adapt-widths": adaptWidths ? "true" : nil].merging(
        launcher.resolved(cohort)
      ) { $1 }, lists: ["track": tracking.track.map(\.rawValue)])
    let result = try output.session(configuration, general, with: cohort) { folder, surroundings in
      try job.run(
        in: folder, sinks: try surroundings.sinks("train", folder), policy: surroundings.policy, cohort: cohort)
    }
    guard let result else { return }
    if output.json {
      try Output.json(result)
    } else {
      try Output.text(
        "top-1 \(Format.percent(result.top1)), top-5 \(Format.percent(result.top5)), loss \(Format.decimal(result.loss, 4)) "
          + "on \(result.images) images; weights in \(RunFolder(path: output.output).model)")
      if let exchange = result.exchange { try Output.text(exchange.sentence) }
    }
  }
}
