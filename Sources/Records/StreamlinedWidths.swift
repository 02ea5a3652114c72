import Diagnosis
import Networks
import Support
import Transfer

/// Widths that follow from a diagnosis, or those of a network to compare with.
public struct StreamlinedWidths: Sendable {
  /// What `widths.json` holds.
  public var file: WidthsFile
  /// How far the aims were met; nil for the control ``Diagnosis/StreamliningControl/uniform``, which has no patterns.
  public var outcome: Streamlining.Outcome?

  /// Streamlines a network.
  ///
  /// - Parameters:
  ///   - patterns: What is known of its groups.
  ///   - diagnosis: Where the patterns come from; says how clear they are.
  ///   - control: A network to compare with instead.
  ///   - seed: The seed of the random control.
  /// - Throws: As `Streamlining`; `UsageFailure` when no network of one factor on all widths has the parameters.
  public init(
    of base: ResolvedNetwork, patterns: PerGroup<WidthPattern>, diagnosis: DiagnosisSummary? = nil,
    settings: StreamliningSettings, control: StreamliningControl? = nil, seed: Int = 0
  ) throws {
    var drops = PerGroup<Double>()
    var confidences = PerGroup<Double>()
    let followed = control?.patterns(patterns, seed: seed) ?? patterns
    // How clear a pattern is says nothing of another that was given in its place.
    for group in diagnosis?.groups ?? [] where followed[group.id] == group.pattern {
      drops[group.id] = group.drop
      confidences[group.id] = group.confidence
    }
    // What is aimed at, of the settings' two.
    let amount =
      settings.aim == .macs
      ? base.cost.parameters : Int((settings.parameterPart * Double(base.cost.parameters)).rounded())
    if control == .uniform {
      // What streamlining reaches, which is not always what it aims at.
      let own = try Streamlining(
        base, patterns: patterns, drops: drops, confidences: confidences, settings: settings
      ).outcome()
      let reached = Int((own.parameters * Double(base.cost.parameters)).rounded())
      let match = try base.matching(reached, in: .parameters, divisor: settings.divisor)
      file = Self.file(match.resolved.widths, of: base, algorithm: "uniform")
      return
    }
    let outcome = try Streamlining(
      base, patterns: followed, drops: drops, confidences: confidences, settings: settings
    ).outcome()
    self.outcome = outcome
    file = Self.file(
      outcome.widths, of: base, algorithm: control.map { "streamline-\($0.rawValue)" } ?? "streamline")
    file.evidence = .init(values: ["narrowing": outcome.narrowing, "widening": outcome.widening])
    file.targetParameters = amount
  }

  private static func file(_ widths: Widths, of base: ResolvedNetwork, algorithm: String) -> WidthsFile {
    let built = try? base.with(widths)
    return WidthsFile(
      network: base.name, algorithm: algorithm, macs: built?.cost.macs, parameters: built?.cost.parameters,
      widths: widths,
      multipliers: PerGroup(base) { group in Double(widths[group.id] ?? group.width) / Double(group.width) },
      relativeTo: .trained)
  }

  /// Why the aims are not met, for people; nil when they are.
  public func remark(_ settings: StreamliningSettings) -> String? {
    guard let outcome, let shortfall = outcome.shortfall else { return nil }
    func percent(_ part: Double) -> String { Format.percent(100 * part, 1) }
    let reached = "\(percent(outcome.parameters)) of the parameters at \(percent(outcome.macs)) of the MACs"
    switch shortfall {
    case .noGrowTarget where settings.aim == .macs:
      return "no layer is too narrow, so that there is nothing to give parameters to: all widths stay"
    case .noGrowTarget: return "no layer is too narrow, so that nothing grows and MACs fall: \(reached)"
    case .noShrinkTarget:
      return "no layer is known to be wide enough, so that there is nothing to take parameters from: all widths stay"
    case .infeasible where settings.aim == .macs:
      return
        "no widths with these patterns have the parameters of the network at fewer MACs; the nearest are written: \(reached)"
    case .infeasible:
      return
        "no widths with these patterns have the MACs of the network at \(Format.percent(100 * settings.parameterPart, 0)) of its "
        + "parameters; the nearest are written: \(reached)"
    }
  }
}
