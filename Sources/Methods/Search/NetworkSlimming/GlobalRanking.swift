/// Channels of all width groups in one order of importance (Liu et al., ICCV 2017, section 3).
public struct GlobalRanking: Sendable {
  /// How the scales of tied channels become one score.
  public enum Score: String, Codable, Sendable, Hashable, CaseIterable {
    /// The mean of their magnitudes.
    case mean
    /// The largest magnitude.
    case max
    /// The sum of their magnitudes.
    case sum
  }

  /// The score of every channel, by group.
  public let scores: [[Double]]
  /// The fewest channels of each group.
  public let minimums: [Int]
  /// Channels from the least important on: group and channel.
  public let order: [(group: Int, channel: Int)]

  /// Ranks channels by scores; of equal ones, earlier groups and channels go first.
  public init(scores: [[Double]], minimums: [Int]) {
    self.scores = scores
    self.minimums = minimums
    let all = scores.enumerated().flatMap { group, values in values.indices.map { (group: group, channel: $0) } }
    order = all.sorted {
      (scores[$0.group][$0.channel], $0.group, $0.channel) < (scores[$1.group][$1.channel], $1.group, $1.channel)
    }
  }

  /// Ranks channels by batch-norm scales: γ by group, member of the group and channel.
  public init(scales: [[[Double]]], score: Score, minimums: [Int]) {
    self.init(
      scores: scales.map { members in
        (0..<(members.first?.count ?? 0)).map { channel in
          let values = members.map { abs($0[channel]) }
          switch score {
          case .mean: return values.reduce(0, +) / Double(Swift.max(1, values.count))
          case .max: return values.max() ?? 0
          case .sum: return values.reduce(0, +)
          }
        }
      }, minimums: minimums)
  }

  /// The widths that are left when the least important channels are dropped one by one until the cost is within a budget.
  ///
  /// Groups at their minimum drop nothing more. When that does not reach the budget, all are at their minimum.
  ///
  /// - Parameter cost: The cost of widths.
  public func widths(budget: Int, cost: ([Int]) -> Int) -> [Int] {
    var widths = scores.map(\.count)
    var position = 0
    while cost(widths) > budget, position < order.count {
      let group = order[position].group
      position += 1
      if widths[group] > minimums[group] { widths[group] -= 1 }
    }
    return widths
  }

  /// The original criterion: kept is what lies strictly above the score at a percentile.
  ///
  /// The comparison is strict, so that one channel more goes than the percentile says.
  public func widths(pruning part: Double) -> [Int] {
    guard !order.isEmpty else { return scores.map(\.count) }
    let index = min(order.count - 1, Int(Double(order.count) * part))
    let threshold = scores[order[index].group][order[index].channel]
    return zip(scores, minimums).map { values, minimum in
      Swift.max(min(minimum, values.count), values.count { $0 > threshold })
    }
  }
}
