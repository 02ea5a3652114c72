import Support

/// The order in which the samples of an epoch are visited.
///
/// It is a function of seed and epoch alone: it does not depend on the number of processes or threads, and is the same
/// again after a resume.
public struct EpochOrder: Hashable, Sendable {
  /// The indices of the samples, in the order of the source.
  public let indices: [Int]
  /// Chooses the orders.
  public let seed: UInt64

  /// Creates the orders of `indices`.
  public init(indices: [Int], seed: UInt64) {
    self.indices = indices
    self.seed = seed
  }

  /// The indices in the order of epoch `epoch`.
  public func order(ofEpoch epoch: Int) -> [Int] {
    var generator = SeededGenerator(seed: seed, .epochOrder, at: epoch, 0)
    return generator.shuffled(indices)
  }
}
