/// The hyperparameters of network slimming (Liu et al. 2017, and the NS baseline of Chin et al. 2021, section 4.7).
public struct NetworkSlimmingSettings: SearchSettings {
  /// How much wider than the network the pruned one is: x of NS-xw-ye (y are the search's epochs).
  public var width: Double
  /// The weight s of the L1 norm of the scales; 0 ranks by scales that were trained without it.
  public var sparsity: Double
  /// How tied scales become one score.
  public var score: GlobalRanking.Score
  /// The part of a group's channels that is always kept; at least one channel is.
  public var minimumPart: Double
  /// The value that scales start from.
  public var initialScale: Double
  /// Prunes by this part of all channels, as the original does, and not down to the budget; 0 prunes to the budget.
  public var prunedPart: Double

  /// The defaults.
  public init() { self.init(width: 1.414) }

  /// Creates settings.
  public init(
    width: Double = 1.414, sparsity: Double = 1e-4, score: GlobalRanking.Score = .mean, minimumPart: Double = 0.05,
    initialScale: Double = 0.5, prunedPart: Double = 0
  ) {
    self.width = width
    self.sparsity = sparsity
    self.score = score
    self.minimumPart = minimumPart
    self.initialScale = initialScale
    self.prunedPart = prunedPart
  }

  /// Makes sure that every value makes sense.
  public func validate() throws {
    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
      try self.require(condition, what(), of: NetworkSlimming.name)
    }
    try require(width >= 1 && width <= 100, "width is \(width), it must be from 1 to 100")
    try require(sparsity >= 0 && sparsity.isFinite, "sparsity is \(sparsity), it must be a number that is not negative")
    try require((0...1).contains(minimumPart), "minimumPart is \(minimumPart), it must be from 0 to 1")
    try require(
      initialScale > 0 && initialScale.isFinite, "initialScale is \(initialScale), it must be a positive number")
    try require((0..<1).contains(prunedPart), "prunedPart is \(prunedPart), it must be from 0 up to 1")
  }
}
