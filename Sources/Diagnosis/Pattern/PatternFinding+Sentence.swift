import Support

extension WidthPattern {
  /// IS, DS, or the pattern in a word.
  public var short: String { self == .neverRose ? "only fell" : rawValue }

  /// What it says of the width, in two words.
  public var verdict: String {
    switch self {
    case .increaseToSaturate: "wide enough"
    case .decreaseToSaturate: "too narrow"
    case .ambiguous, .flat, .neverRose, .undetermined: "undecided"
    }
  }
}

extension PatternFinding {
  /// Why, in plain words.
  ///
  /// - Parameters:
  ///   - epochs: The epochs of the samples.
  ///   - rules: The rules that it was found by.
  public func reasonText(epochs: [Int], rules: PatternRules) -> String {
    func percent(_ value: Double?) -> String { Format.percent(100 * (value ?? 0), 0) }
    func number(_ value: Double?) -> String { Format.significant(value ?? 0, digits: 2) }
    func epoch(_ index: Int?) -> String { index.flatMap { epochs.indices.contains($0) ? "\(epochs[$0])" : nil } ?? "–" }
    let rise = "the variance rose from \(number(base)) to \(number(peak)) by epoch \(epoch(peakIndex))"
    let tail = max(3, Int((rules.tailPart * Double(epochs.count)).rounded()))
    let peaksAtEnd = peakIndex.map { $0 >= epochs.count - tail } ?? false
    switch (pattern, reason) {
    case (.increaseToSaturate, _) where peaksAtEnd:
      return (drop ?? 0) < 0.01
        ? "\(rise), where it levels off" : "\(rise), and rises to the end: a longer training may show a fall"
    case (.increaseToSaturate, _):
      return (drop ?? 0) < 0.01
        ? "\(rise) and stayed there"
        : "\(rise) and gave back \(percent(drop)) of the rise, no more than \(percent(rules.largestDropOfIS))"
    case (.decreaseToSaturate, _):
      return "\(rise) and fell to \(number(final)): \(percent(drop)) of the rise is gone"
    case (_, .tooShort?):
      return "there are \(epochs.count) samples, and \(rules.leastSamples) are the least that says something"
    case (_, .nonFinite?):
      return "a sample is missing: a single channel, weights that are all 0, or numbers that are not finite"
    case (_, .rebound?):
      return "\(rise), with a fall of \(percent(drawdown)) of the rise between, of which \(percent(comeback)) came back"
    case (_, .lateDrop?):
      return "\(rise) and fell by \(percent(drop)) of the rise only at the end; train longer to see whether that lasts"
    case (.neverRose, _): return "the variance only fell, to \(number(final))"
    case (.flat, _):
      let fall = 1 - (final ?? 0) / max(base ?? 0, .leastNormalMagnitude)
      return fall > 0.1
        ? "the variance fell from \(number(base)) to \(number(final)), by less than \(percent(rules.leastDecay)), and never rose by "
          + "\(percent(rules.leastProminence)) of its level"
        : "the variance hardly moved: a rise of \(percent(prominence)) of its level"
    case (_, _):
      return
        "\(rise) and gave back \(percent(drop)) of the rise, between what a wide layer (\(percent(rules.largestDropOfIS))) and what "
        + "a narrow one (\(percent(rules.leastDropOfDS))) does"
    }
  }
}
