import Diagnosis
import Foundation
import Interchange
import Merging
import Networks
import Records
import Support
import Training

extension NetworkStudy {
  /// Merges trained networks at several thresholds, each from its beginning, and measures what is left without further training.
  ///
  /// - Parameters:
  ///   - trained: The trainings, of one network.
  ///   - thresholds: β, in any order.
  ///   - settings: How to merge, the threshold aside.
  ///   - check: Asked between sweeps; what it throws ends the work.
  /// - Throws: `UsageFailure` for settings out of range, `FileFailure` for weights that are gone or broken.
  public func merges(
    of trained: [TrackedTraining], at thresholds: [Double], settings: MergeSettings, check: () throws -> Void = {}
  ) throws -> [MergeSweepSummary.Member] {
    try zip(seeds, trained).map { seed, training in
      let network = training.network
      let model = try Model(network, seed: 0, device: device)
      try model.load(WeightsFile(path: training.folder.model))
      let job = TrainingJob(
        network: network, dataset: dataset, recipe: recipe, device: device, loaderThreads: loaderThreads)
      func state(_ model: Model) throws -> MergeRecord.State {
        let evaluation = try model.evaluate(job.heldOutLoader())
        return MergeRecord.State(model.plan.resolved, top1: evaluation.top1, loss: evaluation.loss)
      }
      let found = DiagnosisSummary([training])
      let mergeable = Set(network.mergeableGroups(settings.scope).map(\.id))
      return MergeSweepSummary.Member(
        seed: seed, before: try state(model),
        points: try Set(thresholds).sorted().map { threshold in
          var settings = settings
          settings.threshold = threshold
          var merger = try FeatureMerger(model, settings: settings)
          let merged = try merger.run(check: check).model
          return MergeSweepSummary.Point(
            threshold: threshold, after: try state(merged),
            survival: MergeSurvival(
              of: merged.plan.resolved.widths, found.groups.filter { mergeable.contains($0.id) }))
        })
    }
  }
}

extension MergeSurvival {
  /// Sets widths after merging beside what was diagnosed.
  public init(of widths: Widths, _ groups: [DiagnosisSummary.Group]) {
    self.init(
      groups.map { group in
        (group.id, group.pattern, group.drop, Double(widths[group.id] ?? group.width) / Double(group.width))
      })
  }
}
