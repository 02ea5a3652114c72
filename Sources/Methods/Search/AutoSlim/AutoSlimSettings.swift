/// The hyperparameters of AutoSlim (Yu & Huang 2019).
public struct AutoSlimSettings: SearchSettings {
  /// How much wider than the network the supernet is.
  public var width: Double
  /// The widths that each group chooses among, evenly spaced up to the widest.
  public var groups: Int
  /// Random sub-networks in each training step.
  public var randomPasses: Int
  /// The part of the training images that is kept to compare widths on.
  public var heldOutFraction: Double
  /// The most images to compare widths on.
  public var heldOutImages: Int
  /// Images that are evaluated together; their statistics normalize them, so that few would be a noisy choice.
  public var evaluationBatch: Int
  /// Whether candidates share what lies before their difference; the results are the same to the bit.
  public var sharesPrefix: Bool

  /// The defaults.
  public init() { self.init(width: 1.5) }

  /// Creates settings.
  public init(
    width: Double = 1.5, groups: Int = 10, randomPasses: Int = 2, heldOutFraction: Double = 0.2,
    heldOutImages: Int = 2048,
    evaluationBatch: Int = 256, sharesPrefix: Bool = true
  ) {
    self.width = width
    self.groups = groups
    self.randomPasses = randomPasses
    self.heldOutFraction = heldOutFraction
    self.heldOutImages = heldOutImages
    self.evaluationBatch = evaluationBatch
    self.sharesPrefix = sharesPrefix
  }

  /// Makes sure that every value makes sense.
  public func validate() throws {
    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
      try self.require(condition, what(), of: AutoSlim.name)
    }
    try require(width >= 1 && width <= 100, "width is \(width), it must be from 1 to 100")
    try require((1...1000).contains(groups), "groups is \(groups), it must be from 1 to 1000")
    try require((0...100).contains(randomPasses), "randomPasses is \(randomPasses), it must be from 0 to 100")
    try require(
      heldOutFraction > 0 && heldOutFraction < 1, "heldOutFraction is \(heldOutFraction), it must be between 0 and 1")
    try require(heldOutImages >= 1, "heldOutImages is \(heldOutImages), it must be at least 1")
    try require(evaluationBatch >= 2, "evaluationBatch is \(evaluationBatch), it must be at least 2")
  }
}
