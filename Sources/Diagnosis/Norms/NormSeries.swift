/// The samples of a training: for each group and mode, a curve over the epochs.
public struct NormSeries: Hashable, Sendable {
  /// Which curve.
  public struct Key: Hashable, Sendable {
    /// The group or layer.
    public var group: String
    /// The mode.
    public var mode: NormMode
  }

  /// The epochs that were sampled, in order, over all curves.
  public let epochs: [Int]
  /// The learning rate of each epoch's last step, where samples tell it.
  public let learningRates: [Int: Double]
  private let curves: [Key: [Int: NormStatistics?]]

  /// Orders samples; of several for one epoch the last counts, as after a training that was stopped and went on.
  public init(_ samples: [NormSample]) {
    var curves: [Key: [Int: NormStatistics?]] = [:]
    for sample in samples {
      curves[Key(group: sample.group, mode: sample.mode), default: [:]].updateValue(
        sample.statistics, forKey: sample.epoch)
    }
    self.curves = curves
    learningRates = samples.reduce(into: [:]) { rates, sample in
      if let rate = sample.learningRate { rates[sample.epoch] = rate }
    }
    epochs = Set(samples.map(\.epoch)).sorted()
  }

  /// The epochs in which the learning rate fell by a step: to less than half of the epoch before.
  public var milestones: [Int] {
    zip(epochs, epochs.dropFirst()).compactMap { before, after in
      guard let old = learningRates[before], let new = learningRates[after], new < old / 2 else { return nil }
      return after
    }
  }

  /// Whether a group was followed by a mode.
  public func holds(_ group: String, _ mode: NormMode) -> Bool { curves[Key(group: group, mode: mode)] != nil }

  /// One number of a group over ``epochs``; nil where a sample is missing.
  public func curve(
    _ group: String, _ mode: NormMode = .product, _ number: KeyPath<NormStatistics, Double> = \.variance
  ) -> [Double?] {
    guard let curve = curves[Key(group: group, mode: mode)] else { return epochs.map { _ in nil } }
    return epochs.map { (curve[$0] ?? nil)?[keyPath: number] }
  }
}
