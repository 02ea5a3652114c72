import Diagnosis
import Networks
import Support
import Torch
import Training

/// Widens groups by copies of their strongest channels and narrows them by merging their closest ones, in the middle of a training.
/// [reconstructed]
public struct ChannelWidthAdapter: WidthAdapter {
  /// The bounds of the changes.
  public var rules: AdaptationRules
  /// The seed of the noise on copies.
  public var seed: Int

  /// Describes an adapter.
  public init(_ rules: AdaptationRules = AdaptationRules(), seed: Int = 0) {
    self.rules = rules
    self.seed = seed
  }

  /// Carries out changes one after the other.
  ///
  /// - Throws: As ``ChannelGrowth`` and ``FeatureMerger``.
  public func carryOut(
    _ changes: [WidthChange], on model: Model, _ moments: [OptimizerMoment]
  ) throws -> ResizedModel {
    var resized = ResizedModel(model, moments)
    for (number, change) in changes.enumerated() {
      resized =
        if change.new > change.old {
          try widen(resized, change, seed: seed &+ number)
        } else {
          try narrow(resized, change)
        }
    }
    return resized
  }

  private func widen(_ before: ResizedModel, _ change: WidthChange, seed: Int) throws -> ResizedModel {
    let outcome = try ChannelGrowth(change.group, by: change.new - change.old, seed: seed).applied(to: before.model)
    return try after(before, outcome.model, change, sources: outcome.sources, firstNew: change.old)
  }

  private func narrow(_ before: ResizedModel, _ change: WidthChange) throws -> ResizedModel {
    var settings = MergeSettings()
    settings.scope = .all
    var merger = try FeatureMerger(before.model, settings: settings)
    let outcome = try merger.narrow(change.group, to: change.new)
    let members = outcome.members[change.group] ?? []
    // Merged channels come last, in the order in which they were merged.
    let untouched = members.prefix { $0.count == 1 }.count
    return try after(before, outcome.model, change, sources: members.map { $0[0] }, firstNew: untouched)
  }

  private func after(
    _ before: ResizedModel, _ model: Model, _ change: WidthChange, sources: [Int], firstNew: Int
  ) throws -> ResizedModel {
    let network = before.model.plan.resolved
    let layout = AxisLayout(network)
    let kept = try Tensor(sources.indices.map { $0 < firstNew ? 1 : 0 } as [Double], shape: [sources.count, 1])
    let chosen = try Tensor(sources.map(Int64.init))
    let moments = try before.moments.map { moment in
      try withoutGradients {
        var places = TensorPlaces(
          try moment.tensors.mapValues { try $0.to(.cpu).to(.float64).contiguous() }, of: network.name)
        for (place, _) in (layout.places[change.group] ?? []).reversed() where moment.tensors[place.tensor] != nil {
          let rows = try places.rows(place, layout).selecting(0, chosen)
          try places.replace(place, layout, with: moment.startsAtZero ? rows * kept : rows)
        }
        return OptimizerMoment(startsAtZero: moment.startsAtZero, places.tensors)
      }
    }
    return ResizedModel(model, moments)
  }
}
