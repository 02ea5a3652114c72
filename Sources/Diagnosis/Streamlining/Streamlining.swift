import Networks
import Support

/// Widens the groups that are too narrow and narrows those that are wide enough, at the network's own MACs and a part of its
/// parameters. [reconstructed; see ``StreamliningSettings``]
///
/// Early groups carry MACs, for their feature maps are large; late groups carry parameters. Moving width forward trades one for the other.
public struct Streamlining: Sendable {
  /// What came of it.
  public struct Outcome: Sendable {
    /// The new widths of all width groups.
    public var widths: Widths
    /// α: the factor of the groups that are wide enough.
    public var narrowing: Double
    /// γ: the factor of the groups that are too narrow.
    public var widening: Double
    /// Parameters over the network's own.
    public var parameters: Double
    /// MACs over the network's own.
    public var macs: Double
    /// Why the aims are not met; nil when they are.
    public var shortfall: Shortfall?
  }

  /// Why the aims of streamlining are not met.
  public enum Shortfall: String, Codable, Hashable, Sendable {
    /// No group is too narrow: nothing to spend the MACs on.
    case noGrowTarget
    /// No group is wide enough: nothing to take parameters from.
    case noShrinkTarget
    /// With these patterns no widths have both the MACs and the parameters.
    case infeasible
  }

  /// What is to be told apart about a group.
  private enum Direction { case widens, narrows, stays }

  private let network: ResolvedNetwork
  private let settings: StreamliningSettings
  private let order: [WidthGroup]
  private let directions: [Direction]
  private let exponents: [Double]
  private let macs: Positioned
  private let parameters: Positioned
  private let widths: [Double]

  /// A cost in the order of ``order``.
  private struct Positioned: Sendable {
    let polynomial: RelaxedCost
    let places: [Int]
    let own: Double

    init(_ network: ResolvedNetwork, _ model: CostModel, _ order: [WidthGroup]) {
      polynomial = RelaxedCost(network, model)
      let positions = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1.id, $0) })
      places = polynomial.groups.map { positions[$0] ?? 0 }
      own = polynomial.evaluate(network.widthGroups.map { Double($0.width) })
    }

    /// The cost over the network's own.
    func callAsFunction(_ widths: [Double]) -> Double { polynomial.evaluate(places.map { widths[$0] }) / own }
  }

  /// Prepares a network with a pattern for each of its groups.
  ///
  /// - Parameters:
  ///   - patterns: The patterns by group; groups that are left out keep their widths.
  ///   - drops: D by group, for ``StreamliningSettings/followsStrength``.
  ///   - confidences: Confidence by group, likewise.
  /// - Throws: ``Support/UsageFailure`` for a group that is not there or settings out of range.
  public init(
    _ network: ResolvedNetwork, patterns: PerGroup<WidthPattern>, drops: PerGroup<Double> = [:],
    confidences: PerGroup<Double> = [:], settings: StreamliningSettings = StreamliningSettings()
  ) throws {
    for id in patterns.groups where network.widthGroup(id) == nil {
      throw UsageFailure("\(network.name) has no width group \(id)")
    }
    guard settings.parameterPart > 0, settings.parameterPart <= 1 else {
      throw UsageFailure(
        "streamlining leaves a part of the parameters, above 0 and at most 1, not \(settings.parameterPart)")
    }
    guard (1...1024).contains(settings.divisor), settings.leastWidth >= 1 else {
      throw UsageFailure("widths are multiples of 1 to 1024 and at least 1")
    }
    self.network = network
    self.settings = settings
    order = network.streamliningOrder
    directions = order.map { group in
      switch patterns[group.id] {
      case .decreaseToSaturate: .widens
      case .increaseToSaturate: .narrows
      case .neverRose: settings.decayIsNarrow ? .widens : .stays
      case .ambiguous, .flat, .undetermined, nil: .stays
      }
    }
    macs = Positioned(network, .macs, order)
    parameters = Positioned(network, .parameters, order)
    widths = order.map { Double($0.width) }
    exponents = Self.exponents(order, directions, drops, confidences, settings)
  }

  // γ^(D / mean D) for groups that widen, α^(c / mean c) for groups that narrow.
  private static func exponents(
    _ order: [WidthGroup], _ directions: [Direction], _ drops: PerGroup<Double>, _ confidences: PerGroup<Double>,
    _ settings: StreamliningSettings
  ) -> [Double] {
    guard settings.followsStrength else { return Array(repeating: 1, count: order.count) }
    func relative(_ values: PerGroup<Double>, _ direction: Direction) -> [WidthGroup.ID: Double] {
      let known = order.indices.filter { directions[$0] == direction }.compactMap { index in
        values[order[index].id].map { (order[index].id, $0) }
      }
      let mean = known.reduce(0) { $0 + $1.1 } / Double(max(known.count, 1))
      return mean > 0 ? Dictionary(uniqueKeysWithValues: known.map { ($0.0, $0.1 / mean) }) : [:]
    }
    let widening = relative(drops, .widens)
    let narrowing = relative(confidences, .narrows)
    return order.indices.map { index in
      switch directions[index] {
      case .widens: widening[order[index].id] ?? 1
      case .narrows: narrowing[order[index].id] ?? 1
      case .stays: 1
      }
    }
  }

  /// Finds the factors, rounds, and mends what rounding broke.
  public func outcome() -> Outcome {
    let widens = directions.contains(.widens)
    let narrows = directions.contains(.narrows)
    let alpha: Double
    let gamma: Double
    switch (widens, narrows, settings.aim) {
    case (false, false, _): (alpha, gamma) = (1, 1)
    case (_, false, _): (alpha, gamma) = (1, 1)
    case (false, true, .macs):
      // The parameters are to stay, and there is nothing to give them to.
      (alpha, gamma) = (1, 1)
    case (false, true, .parameters):
      gamma = 1
      alpha = root(settings.leastFactor, 1) { parameters(scaled($0, 1)) - settings.parameterPart }
    case (true, true, .parameters):
      alpha = root(settings.leastFactor, 1) {
        parameters(scaled($0, widening(at: $0, of: macs))) - settings.parameterPart
      }
      gamma = widening(at: alpha, of: macs)
    case (true, true, .macs):
      alpha = cheapest()
      gamma = widening(at: alpha, of: parameters)
    }
    var found = alpha == 1 && gamma == 1 ? widths : rounded(scaled(alpha, gamma))
    if widens, narrows { found = mended(found) }
    return outcome(found, alpha, gamma, widens: widens, narrows: narrows)
  }

  private func outcome(_ found: [Double], _ alpha: Double, _ gamma: Double, widens: Bool, narrows: Bool) -> Outcome {
    var result = Widths()
    let byGroup = Dictionary(uniqueKeysWithValues: zip(order.map(\.id), found))
    for group in network.widthGroups { result[group.id] = byGroup[group.id].map(Int.init) ?? group.width }
    let parts = (parameters: parameters(found), macs: macs(found))
    let aims = targets
    let isMet = abs(parts.macs - (aims.macs ?? parts.macs)) <= 0.02 && abs(parts.parameters - aims.parameters) <= 0.03
    let shortfall: Shortfall? =
      !narrows ? .noShrinkTarget : !widens ? .noGrowTarget : isMet ? nil : .infeasible
    return Outcome(
      widths: result, narrowing: alpha, widening: gamma, parameters: parts.parameters, macs: parts.macs,
      shortfall: shortfall)
  }

  private var targets: (macs: Double?, parameters: Double) {
    settings.aim == .parameters ? (1, settings.parameterPart) : (nil, 1)
  }

  private func scaled(_ alpha: Double, _ gamma: Double) -> [Double] {
    widths.indices.map { index in
      switch directions[index] {
      case .widens: widths[index] * power(gamma, exponents[index])
      case .narrows: widths[index] * power(alpha, exponents[index])
      case .stays: widths[index]
      }
    }
  }

  /// γ for a given α: where a cost is the network's own again.
  private func widening(at alpha: Double, of cost: Positioned) -> Double {
    root(1, settings.largestFactor) { cost(scaled(alpha, $0)) - 1 }
  }

  /// α of the fewest MACs among those that leave the parameters as they are.
  private func cheapest() -> Double {
    let steps = 1000
    let tried = (0...steps).map { settings.leastFactor + (1 - settings.leastFactor) * Double($0) / Double(steps) }
    let reaching = tried.filter { abs(parameters(scaled($0, widening(at: $0, of: parameters))) - 1) < 1e-6 }
    return reaching.min {
      macs(scaled($0, widening(at: $0, of: parameters))) < macs(scaled($1, widening(at: $1, of: parameters)))
    }
      ?? 1
  }

  /// Where an increasing function is 0 between two ends, by bisection; the end nearest to it when it is 0 nowhere.
  private func root(_ low: Double, _ high: Double, _ body: (Double) -> Double) -> Double {
    var (low, high) = (low, high)
    if body(low) >= 0 { return low }
    if body(high) <= 0 { return high }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if body(middle) < 0 { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  private func quantum(_ index: Int) -> Double {
    Double(order[index].step(divisor: settings.divisor))
  }

  private func least(_ index: Int) -> Double {
    let quantum = quantum(index)
    return (Double(settings.leastWidth) / quantum).rounded(.up) * quantum
  }

  private func rounded(_ values: [Double]) -> [Double] {
    values.indices.map { index in
      guard directions[index] != .stays else { return widths[index] }
      let quantum = quantum(index)
      let value = max(least(index), (values[index] / quantum + 0.5).rounded(.down) * quantum)
      return isAllowed(value, index) ? value : widths[index]
    }
  }

  private func isAllowed(_ value: Double, _ index: Int) -> Bool {
    switch directions[index] {
    case .widens: value >= widths[index]
    case .narrows: value <= widths[index] && value >= min(least(index), widths[index])
    case .stays: false
    }
  }

  private func error(_ values: [Double]) -> Double {
    let aims = targets
    let excess = aims.macs.map { abs(macs(values) / $0 - 1) / 0.02 } ?? 0
    return excess + abs(parameters(values) - aims.parameters) / 0.02
  }

  /// Changes single widths by one step while that brings both costs closer to their aims.
  private func mended(_ start: [Double]) -> [Double] {
    var values = start
    var current = error(values)
    for _ in 0..<200 {
      var best: (error: Double, index: Int, value: Double)?
      for index in values.indices where directions[index] != .stays {
        for change in [-quantum(index), quantum(index)] {
          let value = values[index] + change
          guard value >= least(index), isAllowed(value, index) else { continue }
          var trial = values
          trial[index] = value
          let error = error(trial)
          if error < best?.error ?? current { best = (error, index, value) }
        }
      }
      guard let best else { return values }
      values[best.index] = best.value
      current = best.error
    }
    return values
  }
}
