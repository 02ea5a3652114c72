import Diagnosis
import Support

/// Phenomena of training that people have described, each measured on a small problem: what `experiment matthew-t1` prints as JSON.
public struct PhenomenaSummary: Codable, Sendable {
  /// What was measured with each seed.
  public var seeds: [Measurement]

  /// Gathers measurements.
  public init(seeds: [Measurement]) { self.seeds = seeds }

  /// What was measured with one seed.
  public struct Measurement: Codable, Sendable {
    /// The seed.
    public var seed: Int
    /// How much the weights tell about the labels, over the epochs.
    public var criticalPeriod: CriticalPeriod
    /// How far a network is from each frequency of a target, over the epochs.
    public var frequencies: Frequencies
    /// Accuracies of modular addition.
    public var grokking: Grokking
    /// Errors over widths and epochs, with wrong labels among the right ones.
    public var descent: Descent
    /// The variance of weight norms of a narrow and of a wide layer.
    public var channels: Channels

    /// Gathers measurements.
    public init(
      seed: Int, criticalPeriod: CriticalPeriod, frequencies: Frequencies, grokking: Grokking, descent: Descent,
      channels: Channels
    ) {
      self.seed = seed
      self.criticalPeriod = criticalPeriod
      self.frequencies = frequencies
      self.grokking = grokking
      self.descent = descent
      self.channels = channels
    }

    /// Whether it has as many numbers as it must: a file may be damaged.
    package var isSound: Bool {
      frequencies.errors.count == frequencies.epochs.count
        && frequencies.errors.allSatisfy { $0.count == frequencies.frequencies.count }
        && grokking.training.count == grokking.epochs.count && grokking.heldOut.count == grokking.epochs.count
        && descent.training.count == descent.widths.count && descent.heldOut.count == descent.widths.count
        && descent.heldOutByEpoch.count == descent.epochs.count && !descent.widths.isEmpty
        && !criticalPeriod.traces.isEmpty
    }
  }

  /// The trace of the empirical Fisher information: the mean squared norm of a sample's gradient of the log-likelihood, with labels drawn
  /// from what the network believes.
  public struct CriticalPeriod: Codable, Sendable {
    /// The trace before training and after each epoch.
    public var traces: [Double]

    /// Gathers traces.
    public init(traces: [Double]) { self.traces = traces }

    /// The epoch with the largest trace.
    public var peak: Int { traces.indices.max { traces[$0] < traces[$1] } ?? 0 }

    /// Whether the trace rises to a peak in the first half of the training and falls to half of it.
    public var isSeen: Bool {
      guard let first = traces.first, let last = traces.last else { return false }
      return peak > 0 && 2 * peak <= traces.count && traces[peak] > 1.1 * first && last < 0.5 * traces[peak]
    }
  }

  /// The relative error of single frequencies of the discrete Fourier transform.
  public struct Frequencies: Codable, Sendable {
    /// Periods in the interval.
    public var frequencies: [Int]
    /// The epochs that were looked at.
    public var epochs: [Int]
    /// At each of them, the error of each frequency over the target's.
    public var errors: [[Double]]

    /// The error below which a frequency counts as learnt.
    public static let learnt = 0.2

    /// Gathers errors.
    public init(frequencies: [Int], epochs: [Int], errors: [[Double]]) {
      self.frequencies = frequencies
      self.epochs = epochs
      self.errors = errors
    }

    /// The first epoch at which each frequency is learnt; nil where none is.
    public var learntAt: [Int?] {
      frequencies.indices.map { place in
        zip(epochs, errors).first { $1.indices.contains(place) && $1[place] < Self.learnt }?.0
      }
    }

    /// Whether lower frequencies were learnt before higher ones.
    public var isSeen: Bool {
      let known = learntAt.compactMap { $0 }
      // What is not learnt at all must be higher than what is.
      guard known.count >= 2, learntAt.prefix(known.count).allSatisfy({ $0 != nil }) else { return false }
      return zip(known, known.dropFirst()).allSatisfy { $0 < $1 }
    }
  }

  /// Accuracies in percent on sums that are trained on and on others.
  public struct Grokking: Codable, Sendable {
    /// The epochs that were looked at.
    public var epochs: [Int]
    /// On what is trained on.
    public var training: [Double]
    /// On the other sums.
    public var heldOut: [Double]

    /// Gathers accuracies.
    public init(epochs: [Int], training: [Double], heldOut: [Double]) {
      self.epochs = epochs
      self.training = training
      self.heldOut = heldOut
    }

    private func passing(_ accuracies: [Double]) -> Int? { zip(epochs, accuracies).first { $1 > 95 }?.0 }
    /// The first epoch at which 95 % of what is trained on are right.
    public var trainingPasses: Int? { passing(training) }
    /// The first epoch at which 95 % of the others are right.
    public var heldOutPasses: Int? { passing(heldOut) }

    /// Whether the others are right five times as late, or later.
    public var isSeen: Bool {
      guard let trainingPasses, let heldOutPasses else { return false }
      return heldOutPasses >= 5 * trainingPasses
    }
  }

  /// Errors in percent where a fifth of the labels to train on is wrong.
  public struct Descent: Codable, Sendable {
    /// Hidden features.
    public var widths: [Int]
    /// After training, on what was trained on.
    public var training: [Double]
    /// After training, on other points with right labels.
    public var heldOut: [Double]
    /// The epochs at which the widest network was looked at.
    public var epochs: [Int]
    /// Its errors on other points then.
    public var heldOutByEpoch: [Double]

    /// Gathers errors.
    public init(widths: [Int], training: [Double], heldOut: [Double], epochs: [Int], heldOutByEpoch: [Double]) {
      self.widths = widths
      self.training = training
      self.heldOut = heldOut
      self.epochs = epochs
      self.heldOutByEpoch = heldOutByEpoch
    }

    /// How far the error falls, rises from there and falls again, in points; nil where it does not.
    public static func peak(of errors: [Double]) -> (place: Int, rise: Double, fall: Double)? {
      let found = errors.indices.dropFirst().dropLast().compactMap {
        place -> (place: Int, rise: Double, fall: Double)? in
        guard let before = errors[..<place].min(), let after = errors[(place + 1)...].min(), errors[0] > before else {
          return nil
        }
        return (place, errors[place] - before, errors[place] - after)
      }
      return found.max { min($0.rise, $0.fall) < min($1.rise, $1.fall) }.flatMap {
        min($0.rise, $0.fall) > 0 ? $0 : nil
      }
    }

    /// Whether it is so by three points over the widths, which is more than the number of points to test on leaves to chance.
    public var isSeen: Bool { Self.peak(of: heldOut).map { min($0.rise, $0.fall) >= 3 } ?? false }
  }

  /// The variance of a hidden layer's weight norms in a narrow and in a wide network on one problem.
  public struct Channels: Codable, Sendable {
    /// One layer.
    public struct Layer: Codable, Sendable {
      /// Its features.
      public var width: Int
      /// V before training and after each epoch; null where there is none.
      public var curve: [Double?]
      /// What the classifier says of it.
      public var finding: PatternFinding

      /// Gathers a curve.
      public init(width: Int, curve: [Double?], finding: PatternFinding) {
        self.width = width
        self.curve = curve
        self.finding = finding
      }
    }

    /// The layer with few features.
    public var narrow: Layer
    /// The layer with many.
    public var wide: Layer

    /// Gathers two layers.
    public init(narrow: Layer, wide: Layer) {
      self.narrow = narrow
      self.wide = wide
    }

    /// Whether more of the rise is gone in the narrow layer than in the wide one.
    public var isSeen: Bool {
      guard let first = narrow.finding.drop, let second = wide.finding.drop else { return false }
      return first > second
    }
  }

  /// One row of the source's table 1, with what came of it here.
  public struct Row: Sendable, Hashable {
    /// What it is.
    public var phenomenon: Phenomenon
    /// With how many seeds it was seen.
    public var seen: Int
    /// What was measured, in words.
    public var text: String
  }

  /// The table.
  public var rows: [Row] {
    func median(_ values: [Double]) -> Double? {
      guard !values.isEmpty else { return nil }
      let sorted = values.sorted()
      return (sorted[(values.count - 1) / 2] + sorted[values.count / 2]) / 2
    }
    // A seed that never gets there is later than all others.
    func epoch(_ values: [Int?]) -> String {
      let middle = median(values.map { $0.map(Double.init) ?? .infinity }) ?? .infinity
      return middle.isFinite ? Format.count(Int(middle.rounded())) : "never"
    }
    let descents = seeds.map(\.descent)
    let mean = (descents.first?.widths ?? []).indices.map { place in
      descents.reduce(0) { $0 + ($1.heldOut.dropFirst(place).first ?? 0) } / Double(max(descents.count, 1))
    }
    let peak = Descent.peak(of: mean)
    let frequencies = seeds.first?.frequencies.frequencies ?? []
    let drops = (
      median(seeds.compactMap(\.channels.narrow.finding.drop)), median(seeds.compactMap(\.channels.wide.finding.drop))
    )
    func patterns(_ layer: KeyPath<Channels, Channels.Layer>) -> String {
      PatternAgreement(seeds.map { $0.channels[keyPath: layer].finding }).pattern.short
    }
    return [
      Row(
        phenomenon: .criticalPeriod, seen: seeds.count { $0.criticalPeriod.isSeen },
        text: "the trace is largest after epoch \(epoch(seeds.map(\.criticalPeriod.peak))), and at the end "
          + "\(median(seeds.map { ($0.criticalPeriod.traces.last ?? 0) / max($0.criticalPeriod.traces.max() ?? 1, .leastNormalMagnitude) }).map { Format.percent(100 * $0, 0) } ?? "–") of that"
      ),
      Row(
        phenomenon: .frequencyPrinciple, seen: seeds.count { $0.frequencies.isSeen },
        text: frequencies.indices.map { place in
          "\(Format.number(frequencies[place], "period")) after \(epoch(seeds.map { $0.frequencies.learntAt.dropFirst(place).first ?? nil }))"
        }.joined(separator: ", ") + " epochs"),
      Row(
        phenomenon: .grokking, seen: seeds.count { $0.grokking.isSeen },
        text:
          "95 % of what is trained on after \(epoch(seeds.map(\.grokking.trainingPasses))) epochs, of the other sums after "
          + epoch(seeds.map(\.grokking.heldOutPasses))),
      Row(
        phenomenon: .doubleDescent, seen: seeds.count { $0.descent.isSeen },
        text: peak.map {
          "mean error rises by \(Format.fixed($0.rise, 1)) points to a peak at \(descents[0].widths[$0.place]) features, and falls by "
            + Format.fixed($0.fall, 1)
        } ?? "the mean error has no peak between its ends"),
      Row(
        phenomenon: .matthewEffect, seen: seeds.count { $0.channels.isSeen },
        text:
          "D \(drops.0.map { Format.fixed($0, 2) } ?? "–") with \(seeds.first?.channels.narrow.width ?? 0) features "
          + "(\(patterns(\.narrow))), \(drops.1.map { Format.fixed($0, 2) } ?? "–") with "
          + "\(seeds.first?.channels.wide.width ?? 0) (\(patterns(\.wide)))"),
    ]
  }
}
