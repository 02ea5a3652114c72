import Support

/// Widths that cost what was asked for, as nearly as rounding allows.
public struct WidthMatch: Sendable, Hashable {
  /// The width of every group.
  public var widths: Widths
  /// The network at these widths.
  public var resolved: ResolvedNetwork
  /// The common factor `s` of the widths before rounding.
  public var scale: Double
  /// What was to be met.
  public var model: CostModel
  /// The cost at these widths, in the model's unit.
  public var count: Int
  /// The cost that was asked for.
  public var target: Int
  /// `(count − target) / target`.
  public var relativeError: Double { Double(count - target) / Double(max(1, target)) }

  /// The network at these widths.
  public var network: Network { resolved.network }
  /// Multiply-accumulates at these widths.
  public var macs: Int { resolved.cost.macs }

  /// Describes a network that is known to meet a target.
  public init(_ resolved: ResolvedNetwork, scale: Double, in model: CostModel = .macs, target: Int) {
    widths = resolved.widths
    self.resolved = resolved
    self.scale = scale
    self.model = model
    count = model.count(resolved)
    self.target = target
  }
}

extension Network {
  /// Scales relative widths by one common factor so that the network costs `macs`: the FLOPs matching of width transfer.
  ///
  /// Every group gets `makeDivisible(s · multiplier · width)`; the factor `s` is the one whose rounded network comes
  /// nearest to the target, the lower of two that are equally near. Cost grows with `s` in steps, so that the best factor
  /// is beside the step that crosses the target, and bisection finds it exactly (a grid of 1e-3 gives the same widths on
  /// the networks of the paper). On tiny networks, where no common factor comes within 1 %, single groups are moved by
  /// one divisor afterwards, as long as each move comes nearer.
  ///
  /// The widths do not depend on a common factor of the multipliers.
  ///
  /// - Parameters:
  ///   - target: Multiply-accumulates at this network's input size.
  ///   - multipliers: Widths relative to this network's; groups left out have 1.
  ///   - divisor: What widths are rounded to; also the smallest width.
  /// - Throws: ``Support/UsageFailure`` for an impossible target or divisor, ``NetworkFailure`` for an unknown group or an invalid
  ///   network.
  public func matching(
    macs target: Int, multipliers: PerGroup<Double> = [:], divisor: Int = 8
  ) throws -> WidthMatch {
    try resolved().matching(target, in: .macs, multipliers: multipliers, divisor: divisor)
  }
}

extension ResolvedNetwork {
  /// The least that the network can cost: every group at its narrowest multiple of `divisor`.
  public func leastCost(in model: CostModel = .macs, divisor: Int = 8) -> Int {
    CostCounter(self, model).count(
      widthGroups.map { LeastChannels.rounded(to: $0.step(divisor: divisor)) })
  }
}

extension ResolvedNetwork {
  /// Scales relative widths by one common factor so that the network costs `target`, as ``Network/matching(macs:multipliers:divisor:)``
  /// does for multiply-accumulates.
  ///
  /// - Parameters:
  ///   - target: The cost at this network's input size, in the model's unit.
  ///   - model: What is counted.
  ///   - multipliers: Widths relative to this network's; groups left out have 1.
  ///   - divisor: What widths are rounded to; also the smallest width.
  /// - Throws: ``Support/UsageFailure`` for an impossible target or divisor, ``NetworkFailure`` for an unknown group.
  public func matching(
    _ target: Int, in model: CostModel, multipliers: PerGroup<Double> = [:], divisor: Int = 8
  ) throws -> WidthMatch {
    try checkDivisor(divisor)
    guard target >= 1 else { throw UsageFailure("a budget of \(model.unit) must be positive, not \(target)") }
    let matcher = try WidthMatcher(self, model, target: target, multipliers: multipliers, divisor: divisor)
    let (scale, counts) = matcher.match()
    let widths = Widths(groups: matcher.counter.groups, values: counts)
    return WidthMatch(try network(with: widths).resolved(), scale: scale, in: model, target: target)
  }
}

private struct WidthMatcher {
  let counter: CostCounter
  /// Widths before scaling, `multiplier · width`.
  let base: [Double]
  let divisors: [Int]
  let target: Int
  /// The factor at which the unrounded network costs the target.
  let start: Double

  init(
    _ network: ResolvedNetwork, _ model: CostModel, target: Int, multipliers: PerGroup<Double>, divisor: Int
  ) throws {
    let groups = network.widthGroups
    let known = Set(groups.map(\.id))
    for (id, multiplier) in multipliers.values.sorted(by: { $0.key < $1.key }) {
      guard known.contains(id) else {
        let near = nearestNames(to: id, in: known)
        throw NetworkFailure(
          "\(network.network.name) has no width group \(id); nearest: \(near.joined(separator: ", "))")
      }
      guard multiplier.isFinite, multiplier > 0 else {
        throw NetworkFailure(layer: id, "its width multiplier must be positive, not \(multiplier)")
      }
    }
    counter = CostCounter(network, model)
    base = groups.map { multipliers[$0.id, default: 1] * Double($0.width) }
    divisors = groups.map { $0.step(divisor: divisor) }
    self.target = target
    guard let start = RelaxedCost(network, model).scale(matching: Double(target), widths: base) else {
      throw UsageFailure(
        "\(model.words(target)) cannot be reached by \(network.network.name): the parts of fixed width alone cost as much"
      )
    }
    self.start = start
  }

  func match() -> (scale: Double, widths: [Int]) {
    // Relative factors around 1 keep the result independent of a common factor of the multipliers.
    guard let (low, high) = bracket() else {
      let widths = rounded(1)
      return adjusted(scale: start, widths: widths)
    }
    let (below, above) = bisect(low, high) { counter.count(rounded($0)) > target }
    let lower = counter.count(rounded(below))
    let upper = counter.count(rounded(above))
    let takesLower = abs(Double(lower - target)) <= abs(Double(upper - target))
    let edge = takesLower ? below : above
    let factor = nearestToStart(edge, macs: takesLower ? lower : upper, from: takesLower ? low : high)
    return adjusted(scale: factor * start, widths: rounded(edge))
  }

  /// Factors below and above the target, starting from the range of the specification, 0.8 … 1.25.
  private func bracket() -> (low: Double, high: Double)? {
    var (low, high) = (0.8, 1.25)
    for _ in 0..<40 where counter.count(rounded(low)) > target { low /= 1.25 }
    for _ in 0..<40 where counter.count(rounded(high)) <= target { high *= 1.25 }
    guard counter.count(rounded(low)) <= target, counter.count(rounded(high)) > target else { return nil }
    return (low, high)
  }

  /// The two ends of the step at which `isAbove` turns true, as near as numbers go.
  private func bisect(
    _ low: Double, _ high: Double, isAbove: (Double) -> Bool
  ) -> (below: Double, above: Double) {
    var (low, high) = (low, high)
    for _ in 0..<48 {
      let middle = (low + high) / 2
      if isAbove(middle) { high = middle } else { low = middle }
    }
    return (low, high)
  }

  /// Of the factors that give the same cost as `edge`, the one nearest to 1, so that the reported scale means something.
  private func nearestToStart(_ edge: Double, macs: Int, from end: Double) -> Double {
    if counter.count(rounded(1)) == macs { return 1 }
    if edge > 1 {
      return bisect(1, edge) { counter.count(rounded($0)) >= macs }.above
    }
    return bisect(edge, 1) { counter.count(rounded($0)) > macs }.below
  }

  /// The widths at a factor relative to `start`.
  private func rounded(_ factor: Double) -> [Int] {
    base.indices.map { index in
      // Rounded to a millionth of a channel first, so that the last bits of a product never decide between two widths.
      let width = (factor * start * base[index] * 1e6).rounded() / 1e6
      return makeDivisible(width, divisor: divisors[index])
    }
  }

  /// Moves single groups by a divisor while the cost is off by more than 1 % and a move brings it nearer.
  private func adjusted(scale: Double, widths: [Int]) -> (scale: Double, widths: [Int]) {
    var widths = widths
    var macs = counter.count(widths)
    for _ in 0..<4 * max(1, widths.count) {
      guard abs(Double(macs - target)) > 0.01 * Double(target) else { break }
      let step = macs > target ? -1 : 1
      var best: (group: Int, macs: Int)?
      for group in widths.indices
      where widths[group] + step * divisors[group] >= LeastChannels.rounded(to: divisors[group]) {
        var candidate = widths
        candidate[group] += step * divisors[group]
        let cost = counter.count(candidate)
        if abs(Double(cost - target)) < abs(Double((best?.macs ?? macs) - target)) { best = (group, cost) }
      }
      guard let best else { break }
      widths[best.group] += step * divisors[best.group]
      macs = best.macs
    }
    return (scale, widths)
  }
}
