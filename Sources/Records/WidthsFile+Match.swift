import Networks
import Transfer

extension WidthsFile {
  /// What `widths.json` says about an extrapolation, before a search adds its cost and history.
  ///
  /// - Parameters:
  ///   - match: The widths of the target at its budget.
  ///   - target: The target at its own widths.
  ///   - source: The projected network.
  ///   - projection: How the source came from the target.
  ///   - algorithm: The search that found the widths.
  ///   - targetMACs: The budget.
  public init(
    _ match: WidthMatch, target: Network, source: Network, projection: Projection, algorithm: String?, targetMACs: Int
  ) throws {
    self.init(
      network: target.name, algorithm: algorithm, macs: match.macs, targetMacs: targetMACs,
      parameters: try match.network.cost().parameters, widths: match.widths.values,
      multipliers: try Extrapolation.multipliers(of: match.widths, in: target),
      projection: projection.resolved(to: source))
  }
}
