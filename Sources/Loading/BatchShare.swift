/// The part of every batch that one of several processes takes: samples next to each other, as many as the others or one more.
public struct BatchShare: Sendable, Hashable {
  /// The process's number, from 0.
  public var rank: Int
  /// How many processes there are.
  public var size: Int

  /// All of every batch.
  public static let whole = BatchShare(rank: 0, size: 1)

  /// Describes a part.
  public init(rank: Int, size: Int) {
    precondition(size > 0 && (0..<size).contains(rank), "process \(rank) of \(size)")
    self.rank = rank
    self.size = size
  }

  /// The places, in a batch of so many samples, that are this process's.
  public func range(of count: Int) -> Range<Int> { count * rank / size..<count * (rank + 1) / size }
}
