/// The greedy part of AutoSlim: from the widest network on, the group whose narrowing hurts least is narrowed by a step,
/// until the network costs the budget (Yu & Huang 2019, arXiv 1903.11728, section 3.2).
///
/// What decides is the error alone, not the error for each MAC saved. Of equal errors the lower loss wins, then the larger
/// saving, then the group that comes first.
public struct GreedyDescent: Codable, Sendable, Hashable {
  /// How well a candidate does.
  public struct Score: Sendable, Hashable {
    /// Images classified wrongly.
    public var errors: Int
    /// The sum of their cross-entropies.
    public var loss: Double

    /// Creates a score.
    public init(errors: Int, loss: Double) {
      self.errors = errors
      self.loss = loss
    }
  }

  /// The width of each group as a position in its candidates, from 0.
  public private(set) var levels: [Int]

  /// Starts at the widest: the last of each group's candidates.
  public init(candidates: [Int]) { levels = candidates.map { max(0, $0 - 1) } }

  /// The groups that can still be narrowed.
  public var movable: [Int] { levels.indices.filter { levels[$0] > 0 } }

  /// The levels after `group` was narrowed by a step.
  public func lowered(_ group: Int) -> [Int] {
    var result = levels
    result[group] -= 1
    return result
  }

  /// Narrows the group that hurts least.
  ///
  /// - Parameters:
  ///   - scores: For each of ``movable``, how the network does with that group narrowed.
  ///   - cost: The cost of levels.
  /// - Returns: The group, or nil when none can be narrowed.
  @discardableResult
  public mutating func step(scores: [Score], cost: ([Int]) -> Int) -> Int? {
    let candidates = zip(movable, scores).map { group, score in
      (group: group, score: score, cost: cost(lowered(group)))
    }
    let best = candidates.min {
      ($0.score.errors, $0.score.loss, $0.cost, $0.group) < ($1.score.errors, $1.score.loss, $1.cost, $1.group)
    }
    guard let best else { return nil }
    levels[best.group] -= 1
    return best.group
  }
}
