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

  /// The epochs in which the learning rate fell by a step: to less than half of the epoch before, to which it had not been falling. A
  /// smooth decay halves near its end, too.
  public var milestones: [Int] {
    epochs.indices.dropFirst().compactMap { index in
      guard let old = learningRates[epochs[index - 1]], let new = learningRates[epochs[index]], new < old / 2 else {
        return nil
      }
      if index > 1, let earlier = learningRates[epochs[index - 2]], earlier > 1.25 * old { return nil }
      return epochs[index]
    }
  }

  /// The epochs at the end in which the learning rate is below a tenth of its largest, where it fell there smoothly.
  public var smallRateEpochs: [Int] {
    guard milestones.isEmpty, let largest = learningRates.values.max() else { return [] }
    return epochs.reversed().prefix { learningRates[$0].map { $0 < largest / 10 } ?? false }.reversed()
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
