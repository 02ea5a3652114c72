/// The hyperparameters of MorphNet (Gordon et al. 2018 and its public code); departures are said.
public struct MorphNetSettings: SearchSettings {
  /// How the regularizer acts on the scales.
  public enum Update: String, Codable, Sendable, Hashable, CaseIterable {
    /// A soft threshold after every step. Dead channels are exactly 0 and stay there as long as the task does not need
    /// them. The threshold is the one at which a task gradient holds a scale as it would against the subgradient: momentum
    /// adds up a gradient to 1 / (1 − momentum) times itself, and no threshold.
    case proximal
    /// The subgradient joins the gradient, as in the public code. It needs steps well below the threshold of life, that is
    /// small learning rates and long searches; else scales swing around 0 and never count as dead.
    case subgradient
  }

  /// The strength of the regularizer, λ · cost of the whole network: the same number means the same pressure on networks of
  /// all sizes, which width transfer needs.
  public var kappa: Double
  /// Above this magnitude a channel is alive.
  public var threshold: Double
  /// How often to shrink and expand.
  public var rounds: Int
  /// A round ends at the end of an epoch when what is alive costs no more than this part of the budget, or of the network
  /// where the budget is larger. With several budgets, each gets what is alive when it is met.
  public var shrinkTo: Double
  /// How the regularizer acts.
  public var update: Update
  /// How tied scales are joined.
  public var grouping: FLOPsRegularizer.Grouping
  /// The fewest channels of a group of the searched network; as many of its largest scales are kept alive.
  public var minimumChannels: Int
  /// What a depthwise layer counts in the regularizer: 1, or 2 as in the public code.
  public var depthwiseFactor: Double

  /// The defaults.
  public init() { self.init(kappa: 1) }

  /// Creates settings.
  public init(
    kappa: Double = 1, threshold: Double = 0.01, rounds: Int = 1, shrinkTo: Double = 0.5, update: Update = .proximal,
    grouping: FLOPsRegularizer.Grouping = .max, minimumChannels: Int = 2, depthwiseFactor: Double = 1
  ) {
    self.kappa = kappa
    self.threshold = threshold
    self.rounds = rounds
    self.shrinkTo = shrinkTo
    self.update = update
    self.grouping = grouping
    self.minimumChannels = minimumChannels
    self.depthwiseFactor = depthwiseFactor
  }

  /// Makes sure that every value makes sense.
  public func validate() throws {
    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
      try self.require(condition, what(), of: MorphNet.name)
    }
    try require(kappa >= 0 && kappa.isFinite, "kappa is \(kappa), it must be a number that is not negative")
    try require(threshold > 0 && threshold.isFinite, "threshold is \(threshold), it must be a positive number")
    try require((1...100).contains(rounds), "rounds is \(rounds), it must be from 1 to 100")
    // At 1 every network is shrunk enough before it is shrunk at all.
    try require((0..<1).contains(shrinkTo), "shrinkTo is \(shrinkTo), it must be from 0 on and below 1")
    try require(minimumChannels >= 1, "minimumChannels is \(minimumChannels), it must be at least 1")
    try require((0...2).contains(depthwiseFactor), "depthwiseFactor is \(depthwiseFactor), it must be from 0 to 2")
  }
}
