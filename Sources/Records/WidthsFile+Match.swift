import Networks
import Transfer

extension WidthsFile {
  /// What `widths.json` says about an extrapolation, before a search adds its cost and history.
  ///
  /// - Parameters:
  ///   - match: The widths of the target at its budget, which it names.
  ///   - target: The target at its own widths.
  ///   - source: The projected network.
  ///   - projection: How the source came from the target.
  ///   - algorithm: The search that found the widths.
  ///   - timing: What tells the widths' time where the budget does not.
  public init(
    _ match: WidthMatch, target: ResolvedNetwork, source: ResolvedNetwork, projection: Projection, algorithm: String?,
    timing: LatencyTable? = nil
  ) throws {
    self.init(
      network: target.name, algorithm: algorithm, macs: match.macs,
      targetMacs: match.model == .macs ? match.target : nil, parameters: match.resolved.cost.parameters,
      widths: match.widths, multipliers: try Extrapolation.multipliers(of: match.widths, in: target),
      projection: projection.resolved(to: source))
    targetParameters = match.model == .parameters ? match.target : nil
    if match.model.isTime {
      targetLatency = Double(match.target) / 1e9
      latency = Double(match.count) / 1e9
    } else {
      latency = timing?.seconds(of: match.resolved)
    }
  }
}
