/// How many weights have another sign after an epoch: figure 6 of Chen, Bu, Yan (2024). Zeros never count.
public struct SignChange: Codable, Hashable, Sendable {
  /// Epochs trained.
  public var epoch: Int
  /// Percent of the weights whose sign is not that of the epoch before.
  public var sinceEpochBefore: Double
  /// Percent of the weights whose sign is not that at the start.
  public var sinceStart: Double

  /// Creates the record.
  public init(epoch: Int, sinceEpochBefore: Double, sinceStart: Double) {
    self.epoch = epoch
    self.sinceEpochBefore = sinceEpochBefore
    self.sinceStart = sinceStart
  }
}
