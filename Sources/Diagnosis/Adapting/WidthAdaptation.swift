import Networks

/// Decides from the curves of a training that goes on which groups to widen and which to narrow: dynamic width, named as a direction by Chen, Bu
/// and Yan (2024). [reconstructed]
///
/// A value that a checkpoint keeps: the same curves lead to the same decisions after a stop.
public struct WidthAdaptation: Codable, Sendable {
  /// The bounds.
  public let rules: AdaptationRules
  /// The channels of all groups as they are now.
  public private(set) var widths: PerGroup<Int>

  private let epochs: Int
  private let initialMACs: Int
  private var classifiers: [WidthGroup.ID: OnlineClassifier] = [:]
  private var changedAt: [WidthGroup.ID: Int] = [:]
  private var learningRate: Double?

  /// Starts before the first epoch of a training.
  ///
  /// - Parameters:
  ///   - network: The network at its first widths.
  ///   - epochs: The epochs of the whole training.
  public init(_ network: ResolvedNetwork, epochs: Int, _ rules: AdaptationRules = AdaptationRules()) {
    self.rules = rules
    self.epochs = epochs
    initialMACs = network.cost.macs
    widths = network.widths
    for group in network.mergeableGroups(.all) { classifiers[group.id] = OnlineClassifier(epochs: epochs) }
  }

  /// Takes the samples of an epoch, and says what changes at its end, in the order in which it is to be done.
  ///
  /// A group that asks for a change which the budget forbids asks again after the next epoch; one that becomes narrower can make room for another
  /// that becomes wider at once.
  ///
  /// - Parameters:
  ///   - samples: The variance of each group's norms; what is missing stands for a sample that could not be taken.
  ///   - epoch: The epochs that have ended, 0 before the first.
  ///   - rate: That of the epoch's last step; a fall to less than half counts as a step of the schedule.
  ///   - network: The network at ``widths``.
  public mutating func observe(
    _ samples: [WidthGroup.ID: Double], epoch: Int, learningRate rate: Double?, of network: ResolvedNetwork
  ) throws -> [WidthChange] {
    let isMilestone = if let old = learningRate, let rate { rate < old / 2 } else { false }
    learningRate = rate ?? learningRate
    var wanted: [WidthChange] = []
    for group in network.mergeableGroups(.all) {
      guard let pattern = classifiers[group.id]?.observe(samples[group.id], isMilestone: isMilestone) else { continue }
      if let last = changedAt[group.id], epoch - last < rules.rest { continue }
      let step = max(1, Int((rules.part * Double(group.width) / Double(rules.multiple)).rounded())) * rules.multiple
      let new = pattern == .decreaseToSaturate ? group.width + step : max(group.width - step, rules.leastWidth)
      guard pattern == .decreaseToSaturate ? new > group.width : new < group.width else { continue }
      wanted.append(WidthChange(group.id, from: group.width, to: new, pattern))
    }
    guard Double(epoch) <= (1 - rules.lastPart) * Double(epochs) else { return [] }
    return try carryOut(wanted, epoch: epoch, network)
  }

  private mutating func carryOut(_ wanted: [WidthChange], epoch: Int, _ network: ResolvedNetwork) throws
    -> [WidthChange]
  {
    var (left, made) = (wanted, [WidthChange]())
    func possible(_ change: WidthChange) throws -> PerGroup<Int>? {
      var trial = widths
      trial[change.group] = change.new
      let ratio = Double(try network.with(trial).cost.macs) / Double(initialMACs)
      return abs(ratio - 1) <= rules.largestDrift ? trial : nil
    }
    var isDone = false
    while !isDone {
      isDone = true
      for (index, change) in left.enumerated() {
        guard let trial = try possible(change) else { continue }
        widths = trial
        left.remove(at: index)
        made.append(change)
        changedAt[change.group] = epoch
        classifiers[change.group]?.restart()
        isDone = false
        break
      }
    }
    return made
  }
}
