/// A cost as a function of real-valued widths: `Σ a·c_i·c_o + Σ b·c_u + constant` over width groups, and what was measured on grids.
///
/// Derived squeeze-excite widths count as their fraction (0.25 of the source), without rounding: this is what gradients and
/// expectations are taken of; exact counts come from ``CostCounter``.
public struct RelaxedCost: Sendable {
  /// The width groups; all indices below point into this list.
  public let groups: [WidthGroup.ID]
  /// The quadratic terms, one for each pair of groups that a dense layer connects.
  public private(set) var products: [Product] = []
  /// For each group, the sum of its linear coefficients: depthwise layers, the first and the last layer.
  public private(set) var linear: [Double]
  /// For each group, the part of its linear coefficient that depthwise layers make.
  public private(set) var depthwise: [Double]
  /// What no width changes.
  public private(set) var constant = 0.0
  /// What was measured: the sum of these comes on top.
  private var measured: [Measured] = []

  private struct Measured: Sendable {
    var grid: CostGrid
    var factor: Double
    var input: RealForm
    var output: RealForm

    func reading(_ widths: [Double]) -> CostGrid.Reading {
      grid.reading(input: input.value(widths), output: output.value(widths))
    }
  }

  /// `coefficient · c_first · c_second`.
  public struct Product: Sendable, Hashable {
    /// Kernel area times output positions, summed over the layers that connect the two groups.
    public var coefficient: Double
    /// A position in the list of groups.
    public var first: Int
    /// A position in the list of groups, not below `first`.
    public var second: Int
  }

  /// Collects the terms of a network.
  public init(_ network: ResolvedNetwork, _ model: CostModel = .macs) {
    let counter = CostCounter(network, model)
    groups = counter.groups
    linear = Array(repeating: 0, count: counter.groups.count)
    depthwise = linear
    var positions: [[Int]: Int] = [:]
    let forms = counter.forms.map(RealForm.init)
    for entry in counter.entries {
      let scale = Double(entry.factor) / Double(entry.divisor)
      let output = entry.output.map { forms[$0] } ?? RealForm(constant: 1, terms: [])
      let input = entry.input.map { forms[$0] } ?? RealForm(constant: 1, terms: [])
      if let grid = entry.grid {
        measured.append(Measured(grid: grid, factor: Double(entry.factor), input: input, output: output))
        continue
      }
      constant += scale * input.constant * output.constant
      for term in input.terms { linear[term.group] += scale * term.factor * output.constant }
      for term in output.terms { linear[term.group] += scale * term.factor * input.constant }
      if entry.isDepthwise { for term in output.terms { depthwise[term.group] += scale * term.factor } }
      for one in input.terms {
        for other in output.terms {
          let pair = [min(one.group, other.group), max(one.group, other.group)]
          let coefficient = scale * one.factor * other.factor
          if let position = positions[pair] {
            products[position].coefficient += coefficient
          } else {
            positions[pair] = products.count
            products.append(Product(coefficient: coefficient, first: pair[0], second: pair[1]))
          }
        }
      }
    }
  }

  /// Collects the terms of a network.
  ///
  /// - Throws: ``NetworkFailure`` when the network is invalid.
  public init(_ network: Network, _ model: CostModel = .macs) throws { self.init(try network.resolved(), model) }

  /// Whether a part of it was measured: its slopes are then more than ``products``, ``linear`` and ``depthwise`` say.
  public var isMeasured: Bool { !measured.isEmpty }

  /// The cost at these widths, in the order of ``groups``.
  public func evaluate(_ widths: [Double]) -> Double {
    let (quadratic, linear) = parts(widths)
    return measured.reduce(quadratic + linear + constant) { $0 + $1.factor * $1.reading(widths).value }
  }

  /// The cost at these widths; groups left out count zero.
  public func evaluate(_ widths: [WidthGroup.ID: Double]) -> Double {
    evaluate(groups.map { widths[$0, default: 0] })
  }

  /// The derivative by each width, in the order of ``groups``.
  public func gradient(_ widths: [Double]) -> [Double] {
    var gradient = linear
    for product in products {
      gradient[product.first] += product.coefficient * widths[product.second]
      gradient[product.second] += product.coefficient * widths[product.first]
    }
    for term in measured {
      let reading = term.reading(widths)
      for part in term.input.terms { gradient[part.group] += term.factor * reading.byInput * part.factor }
      for part in term.output.terms { gradient[part.group] += term.factor * reading.byOutput * part.factor }
    }
    return gradient
  }

  /// The factor `s` for which the widths `s · c` cost `target`: the positive root of `A s² + B s + constant = target`; of a cost that
  /// was measured, the one that bisection finds.
  ///
  /// Nil when no positive factor does it, because the fixed part alone costs as much.
  public func scale(matching target: Double, widths: [Double]) -> Double? {
    guard measured.isEmpty else { return bisected(target, widths) }
    let (a, b) = parts(widths)
    let missing = target - constant
    guard missing > 0, a + b > 0 else { return nil }
    guard a > 0 else { return missing / b }
    // The textbook root (−B + √(B² + 4 A T)) / 2A loses digits when A is small; this is the same number.
    return 2 * missing / (b + (b * b + 4 * a * missing).squareRoot())
  }

  private func bisected(_ target: Double, _ widths: [Double]) -> Double? {
    func cost(_ scale: Double) -> Double { evaluate(widths.map { scale * $0 }) }
    var (low, high) = (1.0, 1.0)
    for _ in 0..<20 where cost(low) > target { low /= 2 }
    for _ in 0..<20 where cost(high) < target { high *= 2 }
    guard cost(low) <= target, cost(high) >= target else { return nil }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if cost(middle) < target { low = middle } else { high = middle }
    }
    return high
  }

  private func parts(_ widths: [Double]) -> (quadratic: Double, linear: Double) {
    precondition(widths.count == groups.count, "\(widths.count) widths for \(groups.count) groups")
    let quadratic = products.reduce(0) { $0 + $1.coefficient * widths[$1.first] * widths[$1.second] }
    return (quadratic, zip(linear, widths).reduce(0) { $0 + $1.0 * $1.1 })
  }
}

/// A number of channels as a real function of the widths.
private struct RealForm: Sendable {
  var constant: Double
  var terms: [(group: Int, factor: Double)]

  func value(_ widths: [Double]) -> Double { terms.reduce(constant) { $0 + $1.factor * widths[$1.group] } }

  init(constant: Double, terms: [(group: Int, factor: Double)]) {
    self.constant = constant
    self.terms = terms
  }

  init(_ form: CostCounter.Form) {
    let divisor = Double(form.divisor ?? 1)
    // Without widths in it, a derived number is exact; with widths, it is the fraction that the polynomial can express.
    constant =
      form.terms.isEmpty && form.divisor != nil
      ? Double(LeastChannels.part(of: form.constant, divisor: form.divisor ?? 1)) : Double(form.constant) / divisor
    terms = form.terms.map { ($0.group, Double($0.factor) / Double($0.divisor) / divisor) }
  }
}
