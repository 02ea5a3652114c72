/// The hyperparameters of DMCP; defaults follow the official configurations (Guo et al. 2020), departures are said.
public struct DMCPSettings: SearchSettings {
  /// Where α begins.
  public enum Start: String, Codable, Sendable, Hashable, CaseIterable {
    /// The expectation is the uniformly scaled network on the budget: a search of a few hundred steps then spends them on
    /// moving channels between layers. With α = 0 it starts near the minimum, and the official constants need some 12,000
    /// steps to climb.
    case budget
    /// α = 0, as all official configurations.
    case zero
  }

  /// How the probabilities act where a residual addition joins channels of one group.
  public enum Residual: String, Codable, Sendable, Hashable, CaseIterable {
    /// On every normalization of the group: what a block adds is weighted once, and what it is added to has been weighted
    /// before. The official code's and mmrazor's.
    case branch
    /// On the sum, after every addition, and not on what is added: channels of an identity are weighted again by every
    /// block, so that a stage's output is pruned more readily the deeper the stage is.
    case sum
  }

  /// The multipliers in reach and their step; `maximum` is also the supernet's width.
  public var range: WidthRange
  /// How channels are divided into groups.
  public var layout: ChannelGrid.Layout
  /// How α becomes a probability.
  public var parametrisation: MarkovWidth.Parametrisation
  /// Over how many groups a ramp falls when α begins to move; it narrows to one group by the end of the search.
  public var rampWindow: Double
  /// Where α begins.
  public var start: Start
  /// How the probabilities act at residual additions.
  public var residual: Residual
  /// The fewest channels of a group.
  public var minimumChannels: Int
  /// The part of the steps that train weights alone.
  public var warmUpFraction: Double
  /// The peak learning rate of α; nil scales the official 0.5 up when the second stage is short.
  public var alphaLearningRate: Double?
  /// The momentum of α.
  public var alphaMomentum: Double
  /// Weight of the budget loss, λ.
  public var budgetWeight: Double
  /// Random passes in each weight step.
  public var randomPasses: Int
  /// The probability of a uniform draw at the end of the second stage (official: 0.9999^2504 = 0.78).
  public var finalUniformProbability: Double
  /// Networks within 1 % of the budget to draw from the chains in the end, as evidence (official: 5).
  public var directSamples: Int
  /// Ends the search when the widths moved, in the last tenth of its steps, less than this part of the way that they have come; nil goes to
  /// the end.
  public var settledDrift: Double?

  /// The defaults.
  public init() { self.init(range: WidthRange()) }

  /// Creates settings.
  public init(
    range: WidthRange = WidthRange(), layout: ChannelGrid.Layout = .proportional,
    parametrisation: MarkovWidth.Parametrisation = .sigmoid, rampWindow: Double = 4, start: Start = .budget,
    residual: Residual = .branch,
    minimumChannels: Int = 1,
    warmUpFraction: Double = 0.5, alphaLearningRate: Double? = nil, alphaMomentum: Double = 0.9,
    budgetWeight: Double = 0.1, randomPasses: Int = 2, finalUniformProbability: Double = 0.78,
    directSamples: Int = 5, settledDrift: Double? = nil
  ) {
    self.range = range
    self.layout = layout
    self.parametrisation = parametrisation
    self.rampWindow = rampWindow
    self.start = start
    self.residual = residual
    self.minimumChannels = minimumChannels
    self.warmUpFraction = warmUpFraction
    self.alphaLearningRate = alphaLearningRate
    self.alphaMomentum = alphaMomentum
    self.budgetWeight = budgetWeight
    self.randomPasses = randomPasses
    self.finalUniformProbability = finalUniformProbability
    self.directSamples = directSamples
    self.settledDrift = settledDrift
  }

  /// Makes sure that every value makes sense.
  ///
  /// - Throws: `UsageFailure` that names the first value which does not.
  public func validate() throws {
    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
      try self.require(condition, what(), of: "dmcp")
    }
    try range.validate(for: "dmcp")
    try require(
      range.steps > 0,
      "a step of \(range.offset) between widths leaves one width from \(range.minimum) to \(range.maximum)")
    try require(
      (1...100).contains(rampWindow), "rampWindow is \(rampWindow), it must be from 1 to 100")
    try require(minimumChannels >= 1, "minimumChannels is \(minimumChannels), it must be at least 1")
    try require((0...1).contains(warmUpFraction), "warmUpFraction is \(warmUpFraction), it must be from 0 to 1")
    try require(
      alphaLearningRate.map { $0 > 0 && $0.isFinite } ?? true, "alphaLearningRate must be a positive number")
    try require((0..<1).contains(alphaMomentum), "alphaMomentum is \(alphaMomentum), it must be from 0 up to 1")
    try require(
      budgetWeight >= 0 && budgetWeight.isFinite, "budgetWeight is \(budgetWeight), it must not be negative")
    try require((0...100).contains(randomPasses), "randomPasses is \(randomPasses), it must be from 0 to 100")
    try require(
      finalUniformProbability > 0 && finalUniformProbability <= 1,
      "finalUniformProbability is \(finalUniformProbability), it must be above 0 and at most 1")
    try require(
      settledDrift.map { $0 > 0 && $0 < 1 } ?? true, "settledDrift must be above 0 and below 1")
    try require((0...1000).contains(directSamples), "directSamples is \(directSamples), it must be from 0 to 1000")
  }
}
