#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Gives a curve of weight-norm variance its pattern. [reconstructed; see ``PatternRules``]
public struct PatternClassifier: Codable, Sendable {
  /// The numbers that decide.
  public var rules: PatternRules

  /// Creates a classifier.
  public init(_ rules: PatternRules = PatternRules()) { self.rules = rules }

  /// Classifies a curve with one sample an epoch, from before the first; nil stands for a sample that is missing.
  public func classify(_ samples: [Double?]) -> PatternFinding {
    let values = samples.compactMap { $0 }.filter(\.isFinite)
    guard values.count == samples.count else { return PatternFinding(.undetermined, .nonFinite) }
    guard values.count >= max(rules.leastSamples, 3) else { return PatternFinding(.undetermined, .tooShort) }
    return classify(smoothed: smooth(values))
  }

  /// The curve without its outliers and small waves: a running median, then a running mean.
  public func smooth(_ values: [Double]) -> [Double] {
    let median = Self.running(values, reach: rules.medianReach) { window in
      let sorted = window.sorted()
      return sorted[sorted.count / 2]
    }
    let window = max(3, Self.rounded(rules.meanPart * Double(values.count)) | 1)
    return Self.running(median, reach: window / 2) { $0.reduce(0, +) / Double($0.count) }
  }

  private func classify(smoothed s: [Double]) -> PatternFinding {
    let count = s.count
    let (base, peak) = Self.rise(s)
    let rise = s[peak] - s[base]
    let largest = s.max() ?? 0
    let prominence = largest > 0 ? rise / largest : 0
    let tail = max(3, Self.rounded(rules.tailPart * Double(count)))
    let final = s.suffix(tail).reduce(0, +) / Double(tail)
    guard prominence >= rules.leastProminence else {
      let decays = s[0] > 0 && (s[0] - final) / s[0] >= rules.leastDecay
      var finding = PatternFinding(decays ? .neverRose : .flat)
      (finding.prominence, finding.base, finding.final) = (max(prominence, 0), s[0], final)
      return finding
    }
    let drop = (s[peak] - final) / rise
    let (drawdown, trough) = Self.drawdown(s, from: base)
    let comeback = (s[count - 1] - s[trough]) / rise
    var finding = PatternFinding(.ambiguous, .between)
    if drawdown / rise >= rules.reboundDrawdown, comeback >= rules.reboundReturn, drop < rules.leastDropOfDS {
      finding.reason = .rebound
    } else if drop >= rules.leastDropOfDS {
      let late = s.suffix(max(1, Self.rounded(rules.latePart * Double(count))))
      let level = s[peak] - 0.5 * rules.leastDropOfDS * rise
      let low = late.count { $0 < level }
      if Double(low) >= rules.lateShare * Double(late.count) {
        (finding.pattern, finding.reason) = (.decreaseToSaturate, nil)
      } else {
        finding.reason = .lateDrop
      }
    } else if drop <= rules.largestDropOfIS {
      (finding.pattern, finding.reason) = (.increaseToSaturate, nil)
    }
    let onset = (base...peak).last { s[$0] <= s[base] + rules.onset * rise } ?? base
    finding.stage1End = onset
    finding.stage2End = (onset...peak).first { s[$0] >= s[base] + rules.saturation * rise } ?? peak
    finding.drop = drop
    finding.drawdown = drawdown / rise
    finding.comeback = comeback
    finding.prominence = prominence
    finding.peakPosition = Double(peak) / Double(count - 1)
    (finding.baseIndex, finding.peakIndex) = (base, peak)
    (finding.base, finding.peak, finding.final) = (s[base], s[peak], final)
    if finding.reason == nil {
      let middle = (rules.largestDropOfIS + rules.leastDropOfDS) / 2
      finding.confidence = min(1, abs(drop - middle) / middle) * min(1, prominence / 0.3)
    }
    return finding
  }

  /// The pair of positions, one before the other, between which the values rise most; the first such pair.
  private static func rise(_ s: [Double]) -> (base: Int, peak: Int) {
    var lowest = 0
    var best = (base: 0, peak: 1)
    for index in 1..<s.count {
      if s[index] - s[lowest] > s[best.peak] - s[best.base] { best = (lowest, index) }
      if s[index] < s[lowest] { lowest = index }
    }
    return best
  }

  /// The deepest fall after `start`, and where it ends.
  private static func drawdown(_ s: [Double], from start: Int) -> (depth: Double, trough: Int) {
    var highest = start
    var best = (depth: 0.0, trough: start)
    for index in start..<s.count {
      if s[index] > s[highest] { highest = index }
      if s[highest] - s[index] > best.depth { best = (s[highest] - s[index], index) }
    }
    return best
  }

  // Windows shrink at the ends on both sides alike, so that a slope does not bend there.
  private static func running(_ values: [Double], reach: Int, _ body: (ArraySlice<Double>) -> Double) -> [Double] {
    values.indices.map { index in
      let reach = min(reach, index, values.count - 1 - index)
      return body(values[(index - reach)...(index + reach)])
    }
  }

  private static func rounded(_ value: Double) -> Int { Int(value.rounded(.toNearestOrAwayFromZero)) }
}
