import Foundation
import Networks
import Support

/// The width of one group as a Markov chain: group k is kept only when group k−1 is (Guo et al., CVPR 2020, section 3).
///
/// p_k = P(group k is kept | group k−1 is), m_k = p₁ ⋯ p_k, E[c] = c₀ + Σ g_k m_k.
public struct MarkovWidth: Sendable, Hashable {
  /// How a parameter becomes a probability.
  public enum Parametrisation: String, Codable, Sendable, Hashable, CaseIterable {
    /// p = 1 / (1 + e^−α), as all official configurations.
    case sigmoid
    /// p = e^−max(α, 0), as mmrazor; α = 0 starts at full width.
    case exponential
    /// One parameter a width instead of one a group, the expected number of groups α, and no Markov chain of its own:
    /// m_k = α − k + ½ over the window, plus ½, cut to 0…1. With a window of one group all groups before the fractional one stay
    /// and all behind it go, so that the width is decided by construction. Ours; no publication has it.
    case ramp
  }

  /// The widths to choose among.
  public let grid: ChannelGrid
  /// How α becomes p.
  public let parametrisation: Parametrisation
  /// One parameter a group; for ``Parametrisation/ramp`` a single one.
  public var alphas: [Double]
  /// Over how many groups a ``Parametrisation/ramp`` falls from 1 to 0, at least 1; the others have no window.
  public var window: Double

  /// Creates a chain.
  public init(
    grid: ChannelGrid, parametrisation: Parametrisation = .sigmoid, alphas: [Double]? = nil, window: Double = 1
  ) {
    self.grid = grid
    self.parametrisation = parametrisation
    self.window = window
    let parameters = parametrisation == .ramp ? min(1, grid.groups.count) : grid.groups.count
    self.alphas = alphas ?? Array(repeating: 0, count: parameters)
  }

  /// Brings α back to where it has a derivative: below 0, e^−max(α, 0) stays 1 for ever, and a ramp ends where the groups do.
  public mutating func returnToDomain() {
    switch parametrisation {
    case .sigmoid: break
    case .exponential: alphas = alphas.map { max($0, 0) }
    case .ramp: alphas = alphas.map { min(max($0, 0), Double(grid.groups.count)) }
    }
  }

  /// p_k.
  public var probabilities: [Double] {
    switch parametrisation {
    case .sigmoid: return alphas.map { 1 / (1 + exp(-$0)) }
    case .exponential: return alphas.map { exp(-max($0, 0)) }
    case .ramp:
      var before = 1.0
      return marginals.map { marginal in
        defer { before = marginal }
        return before > 0 ? marginal / before : 0
      }
    }
  }

  /// m_k = P(group k is kept).
  public var marginals: [Double] {
    if parametrisation == .ramp { return ramp.map { min(max($0, 0), 1) } }
    var product = 1.0
    return probabilities.map {
      product *= $0
      return product
    }
  }

  /// The line that a ramp cuts to 0…1, at each group.
  private var ramp: [Double] {
    grid.groups.indices.map { ((alphas.first ?? 0) - Double($0) - 0.5) / window + 0.5 }
  }

  /// E[c].
  public var expectation: Double {
    Double(grid.fixed) + zip(grid.groups, marginals).reduce(0) { $0 + Double($1.0) * $1.1 }
  }

  /// P(c) for each boundary of the grid.
  public var distribution: [Double] {
    let reached = [1] + marginals
    return reached.indices.map { $0 + 1 < reached.count ? reached[$0] - reached[$0 + 1] : reached[$0] }
  }

  /// The standard deviation of the width.
  public var standardDeviation: Double {
    let mean = expectation
    return zip(grid.boundaries, distribution)
      .reduce(0) { $0 + $1.1 * (Double($1.0) - mean) * (Double($1.0) - mean) }.squareRoot()
  }

  /// The width of the "expected sampling" of the official code: the rounded expectation, not snapped to the grid.
  public var expectedChannels: Int { LeastChannels.whole(expectation - 1e-4) }

  /// Walks the chain: the official "direct sampling".
  public func sample(using generator: inout SeededGenerator) -> Int {
    var channels = grid.fixed
    for (probability, size) in zip(probabilities, grid.groups) {
      if generator.nextUnit() > probability { break }
      channels += size
    }
    return channels
  }

  /// Derivatives for α, given those for the marginals: dL/dα_j = Σ_{k ≥ j} dL/dm_k · m_k / p_j · dp_j/dα_j.
  ///
  /// At a ramp's corners, where a group just stays or just goes, the derivative is the mean of both sides.
  public func gradient(marginals derivatives: [Double]) -> [Double] {
    if parametrisation == .ramp {
      guard !alphas.isEmpty else { return [] }
      let sum = zip(ramp, derivatives).reduce(0) { sum, group in
        switch group.0 {
        case 0, 1: sum + group.1 / 2
        case 0...1: sum + group.1
        default: sum
        }
      }
      return [sum / window]
    }
    let p = probabilities
    var result = [Double](repeating: 0, count: p.count)
    for j in p.indices {
      // The products without p_j, so that p_j = 0 needs no division.
      var product = p[..<j].reduce(1, *)
      var sum = 0.0
      for k in j..<p.count {
        if k > j { product *= p[k] }
        sum += derivatives[k] * product
      }
      switch parametrisation {
      case .sigmoid: result[j] = sum * p[j] * (1 - p[j])
      case .exponential: result[j] = alphas[j] >= 0 ? -sum * p[j] : 0
      case .ramp: break
      }
    }
    return result
  }

  /// Sets all α to the one value at which E[c] is `channels`, or as near as the grid allows.
  public mutating func start(at channels: Double) {
    // E[c] rises with α for the sigmoid and the ramp, and falls for the exponential: bisection.
    let rises = parametrisation != .exponential
    var (low, high) = parametrisation == .ramp ? (0, Double(grid.groups.count)) : (-8.0, 8.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      alphas = alphas.map { _ in middle }
      if (expectation < channels) == rises { low = middle } else { high = middle }
    }
  }

  /// The factor of every channel in the architecture pass: 1 for the fixed ones, m_k for those of group k.
  public var channelFactors: [Float] {
    var factors = [Float](repeating: 1, count: grid.fixed)
    for (size, marginal) in zip(grid.groups, marginals) {
      factors.append(contentsOf: repeatElement(Float(marginal), count: size))
    }
    return factors
  }

  /// Derivatives for the marginals, given those for ``channelFactors``.
  public func marginalGradient(channelFactors derivatives: some RandomAccessCollection<Float>) -> [Double] {
    var position = derivatives.index(derivatives.startIndex, offsetBy: grid.fixed)
    return grid.groups.map { size in
      let end = derivatives.index(position, offsetBy: size)
      defer { position = end }
      return derivatives[position..<end].reduce(0) { $0 + Double($1) }
    }
  }
}
