import Networks

/// MorphNet's cost-weighted L1 norm of batch-norm scales (Gordon et al., CVPR 2018, section 4).
///
/// G = Σ over layers of C · (A_i R_o + A_o R_i), where A counts a group's living channels, R sums their magnitudes and C is
/// two operations a multiply-accumulate. A is a constant for the derivative: dG/dR is the cost of one more channel.
public struct FLOPsRegularizer: Sendable {
  /// How the magnitudes of tied channels are joined.
  public enum Grouping: String, Codable, Sendable, Hashable, CaseIterable {
    /// The largest.
    case max
    /// The Euclidean norm.
    case norm
  }

  /// The cost as a function of the widths.
  public let polynomial: RelaxedCost
  /// Above this magnitude a channel is alive, τ.
  public var threshold: Double
  /// How the magnitudes of tied channels are joined.
  public var grouping: Grouping
  /// What a depthwise layer's share counts: 1, the derivative of its cost; 2 as the public code, which counts input and
  /// output of such a layer although they are one.
  public var depthwiseFactor: Double

  /// Operations a multiply-accumulate in MorphNet's convention. It rescales λ and stays inside.
  package static let operations = 2.0

  /// Creates the regularizer of a network.
  public init(
    _ polynomial: RelaxedCost, threshold: Double = 0.01, grouping: Grouping = .max, depthwiseFactor: Double = 1
  ) {
    self.polynomial = polynomial
    self.threshold = threshold
    self.grouping = grouping
    self.depthwiseFactor = depthwiseFactor
  }

  /// The regularizer at some scales.
  public struct Value: Sendable, Equatable {
    /// For each group and channel: the joined magnitude r.
    public var magnitudes: [[Double]]
    /// For each group and channel: whether it is alive.
    public var alive: [[Bool]]
    /// The regularizer G.
    public var value: Double
    /// The cost of the living channels, in operations.
    public var cost: Double
    /// dG/dR of each group; 0 where a measured cost falls with more channels, since nothing is to grow for that.
    public var slopes: [Double]

    /// The number of living channels of each group.
    public var aliveCounts: [Int] { alive.map { $0.count { $0 } } }

    /// The channels of largest magnitude, as many of each group as `counts` says.
    public func largest(_ counts: [Int]) -> [Set<Int>] {
      zip(magnitudes, counts).map { magnitudes, count in
        Set(magnitudes.indices.sorted { (-magnitudes[$0], $0) < (-magnitudes[$1], $1) }.prefix(count))
      }
    }
  }

  /// Evaluates the regularizer.
  ///
  /// - Parameter scales: γ by group (in the polynomial's order), member of the group and channel.
  public func evaluate(_ scales: [[[Double]]]) -> Value {
    let magnitudes = scales.map { members in
      (0..<(members.first?.count ?? 0)).map { channel in joined(members.map { $0[channel] }) }
    }
    let alive = zip(scales, magnitudes).map { members, joined in
      switch grouping {
      case .max: joined.indices.map { channel in members.contains { abs($0[channel]) > threshold } }
      case .norm: joined.map { $0 > threshold }
      }
    }
    let counts = alive.map { Double($0.count { $0 }) }
    let sums = magnitudes.map { $0.reduce(0, +) }
    let gradient = polynomial.gradient(counts)
    let slopes = gradient.indices.map {
      Self.operations * Swift.max(0, gradient[$0] + (depthwiseFactor - 1) * polynomial.depthwise[$0])
    }
    return Value(
      magnitudes: magnitudes, alive: alive, value: zip(slopes, sums).reduce(0) { $0 + $1.0 * $1.1 },
      cost: Self.operations * polynomial.evaluate(counts), slopes: slopes)
  }

  /// dr/dγ for every γ: the sign for the largest of tied scales and 0 for the rest, or γ/r for the norm.
  public func magnitudeGradient(_ scales: [[[Double]]]) -> [[[Double]]] {
    scales.map { members in
      var result = members.map { $0.map { _ in 0.0 } }
      for channel in members.first?.indices ?? 0..<0 {
        let values = members.map { $0[channel] }
        switch grouping {
        case .max:
          let largest = values.indices.max { (abs(values[$0]), -$0) < (abs(values[$1]), -$1) } ?? 0
          result[largest][channel] = values[largest] < 0 ? -1 : values[largest] > 0 ? 1 : 0
        case .norm:
          let norm = joined(values)
          for member in values.indices where norm > 0 { result[member][channel] = values[member] / norm }
        }
      }
      return result
    }
  }

  /// The factors of a proximal step: every magnitude goes `step` · dG/dR towards 0, and no further than 0; the largest `floors`
  /// channels of each group stay just alive.
  ///
  /// A group that died as a whole would cut the network, and everything behind the cut would die of it.
  public func shrinkage(_ scales: [[[Double]]], step: Double, floors: [Int]) -> [[[Double]]] {
    let value = evaluate(scales)
    let directions = magnitudeGradient(scales)
    let protected = value.largest(floors)
    return scales.indices.map { group in
      let step = step * value.slopes[group]
      return zip(scales[group], directions[group]).map { values, directions in
        values.indices.map { channel -> Double in
          let size = abs(values[channel])
          guard size > 0 else { return 0 }
          let least = protected[group].contains(channel) ? min(size, 1.01 * threshold) : 0
          return Swift.max(least, size - step * abs(directions[channel])) / size
        }
      }
    }
  }

  private func joined(_ values: [Double]) -> Double {
    switch grouping {
    case .max: values.reduce(0) { Swift.max($0, abs($1)) }
    case .norm: values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
  }
}
