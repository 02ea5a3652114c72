/// Decides on a group while its training goes on, one epoch at a time. [reconstructed]
public struct OnlineClassifier: Codable, Sendable {
  /// The rules that the curve so far is classified by.
  public let classifier: PatternClassifier
  /// The epochs of the whole training.
  public let epochs: Int
  /// Epochs in a row that must say DS.
  public var patience = 5
  /// Epochs after a change of the learning rate that do not count: norms jump there.
  public var pause = 3

  private var samples: [Double?] = []
  private var streak = 0
  private var resting = 0

  /// Starts before the first sample.
  public init(epochs: Int, _ classifier: PatternClassifier = PatternClassifier()) {
    self.epochs = epochs
    self.classifier = classifier
  }

  /// Takes one more sample, and says DS or IS once that is decided; nil otherwise.
  ///
  /// - Parameter isMilestone: Whether the learning rate was changed by a step in this epoch.
  public mutating func observe(_ sample: Double?, isMilestone: Bool = false) -> WidthPattern? {
    samples.append(sample)
    if isMilestone { resting = pause }
    guard resting == 0 else {
      resting -= 1
      return nil
    }
    let finding = classifier.classify(samples)
    guard let drop = finding.drop, let saturated = finding.stage2End else {
      streak = 0
      return nil
    }
    streak = drop >= classifier.rules.leastDropOfDS ? streak + 1 : 0
    if streak >= patience { return .decreaseToSaturate }
    let since = samples.count - 1 - saturated
    let isLongAgo = Double(since) >= max(10, 0.2 * Double(epochs))
    return isLongAgo && drop <= classifier.rules.largestDropOfIS ? .increaseToSaturate : nil
  }

  /// Begins anew, as after the group's width was changed.
  public mutating func restart() {
    samples = []
    streak = 0
  }
}
