import Support

/// Widths that cost what was asked for, as nearly as rounding allows.
public struct WidthMatch: Sendable, Hashable {
  /// The width of every group.
  public var widths: Widths
  /// The network at these widths.
  public var network: Network
  /// The common factor `s` of the widths before rounding.
  public var scale: Double
  /// Multiply-accumulates at these widths.
  public var macs: Int
  /// The multiply-accumulates that were asked for.
  public var target: Int
  /// `(macs − target) / target`.
  public var relativeError: Double { Double(macs - target) / Double(max(1, target)) }

  /// Describes widths that are known to cost `macs`.
  public init(widths: Widths, network: Network, scale: Double, macs: Int, target: Int) {
    self.widths = widths
    self.network = network
    self.scale = scale
    self.macs = macs
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
  /// - Throws: ``UsageFailure`` for an impossible target or divisor, ``NetworkFailure`` for an unknown group or an invalid
  ///   network.
  public func matching(
    macs target: Int, multipliers: [WidthGroup.ID: Double] = [:], divisor: Int = 8
  ) throws -> WidthMatch {
    try checkDivisor(divisor)
    guard target >= 1 else { throw UsageFailure("a FLOPs target must be positive, not \(target)") }
    let resolved = try resolved()
    let matcher = try WidthMatcher(resolved, target: target, multipliers: multipliers, divisor: divisor)
    let (scale, counts, macs) = matcher.match()
    let widths = Widths(Dictionary(zip(matcher.counter.groups, counts), uniquingKeysWith: { first, _ in first }))
    return WidthMatch(
      widths: widths, network: try resolved.network(with: widths), scale: scale, macs: macs, target: target)
  }
}

private struct WidthMatcher {
  let counter: MACCounter
  /// Widths before scaling, `multiplier · width`.
  let base: [Double]
  let divisors: [Int]
  let target: Int
  /// The factor at which the unrounded network costs the target.
  let start: Double

  init(_ network: ResolvedNetwork, target: Int, multipliers: [WidthGroup.ID: Double], divisor: Int) throws {
    let groups = network.widthGroups
    let known = Set(groups.map(\.id))
    for (id, multiplier) in multipliers.sorted(by: { $0.key < $1.key }) {
      guard known.contains(id) else {
        let near = nearestNames(to: id, in: known)
        throw NetworkFailure(
          "\(network.network.name) has no width group \(id); nearest: \(near.joined(separator: ", "))")
      }
      guard multiplier.isFinite, multiplier > 0 else {
        throw NetworkFailure(layer: id, "its width multiplier must be positive, not \(multiplier)")
      }
    }
    counter = try MACCounter(network)
    base = groups.map { multipliers[$0.id, default: 1] * Double($0.width) }
    divisors = groups.map { leastCommonMultiple(divisor, $0.granularity) }
    self.target = target
    guard let start = try MACPolynomial(network).scale(matching: Double(target), widths: base) else {
      throw UsageFailure(
        "\(target) MACs cannot be reached by \(network.network.name): the parts of fixed width alone cost as much")
    }
    self.start = start
  }

  func match() -> (scale: Double, widths: [Int], macs: Int) {
    // Relative factors around 1 keep the result independent of a common factor of the multipliers.
    guard let (low, high) = bracket() else {
      let widths = rounded(1)
      return adjusted(scale: start, widths: widths)
    }
    let (below, above) = bisect(low, high) { counter.macs(rounded($0)) > target }
    let lower = counter.macs(rounded(below))
    let upper = counter.macs(rounded(above))
    let takesLower = abs(Double(lower - target)) <= abs(Double(upper - target))
    let edge = takesLower ? below : above
    let factor = nearestToStart(edge, macs: takesLower ? lower : upper, from: takesLower ? low : high)
    return adjusted(scale: factor * start, widths: rounded(edge))
  }

  /// Factors below and above the target, starting from the range of the specification, 0.8 … 1.25.
  private func bracket() -> (low: Double, high: Double)? {
    var (low, high) = (0.8, 1.25)
    for _ in 0..<40 where counter.macs(rounded(low)) > target { low /= 1.25 }
    for _ in 0..<40 where counter.macs(rounded(high)) <= target { high *= 1.25 }
    guard counter.macs(rounded(low)) <= target, counter.macs(rounded(high)) > target else { return nil }
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
    if counter.macs(rounded(1)) == macs { return 1 }
    if edge > 1 {
      return bisect(1, edge) { counter.macs(rounded($0)) >= macs }.above
    }
    return bisect(edge, 1) { counter.macs(rounded($0)) > macs }.below
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
  private func adjusted(scale: Double, widths: [Int]) -> (scale: Double, widths: [Int], macs: Int) {
    var widths = widths
    var macs = counter.macs(widths)
    for _ in 0..<4 * max(1, widths.count) {
      guard abs(Double(macs - target)) > 0.01 * Double(target) else { break }
      let step = macs > target ? -1 : 1
      var best: (group: Int, macs: Int)?
      for group in widths.indices where widths[group] + step * divisors[group] >= divisors[group] {
        var candidate = widths
        candidate[group] += step * divisors[group]
        let cost = counter.macs(candidate)
        if abs(Double(cost - target)) < abs(Double((best?.macs ?? macs) - target)) { best = (group, cost) }
      }
      guard let best else { break }
      widths[best.group] += step * divisors[best.group]
      macs = best.macs
    }
    return (scale, widths, macs)
  }
}
