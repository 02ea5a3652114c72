import Support
import Transfer

/// The claim of width transfer, of one transferred search: its widths do as well as those of the direct search, and as well as uniform ones at least.
struct TransferClaim {
  /// What the seeds say of it.
  enum Outcome: Hashable {
    /// The intervals of transferred − direct and of transferred − uniform lie above −``margin``.
    case held
    /// One of them lies below 0, and not above −``margin``.
    case failed
    /// Neither, or one of them is not known.
    case open
  }

  /// By how many points of top-1 widths may fall below others and still be said to do as well.
  static let margin = 0.5

  let method: SearchedMethod
  let againstDirect: PairedDifference
  let againstUniform: PairedDifference?

  /// - Returns: nil for a method that was not both searched directly and transferred.
  init?(_ method: SearchedMethod, uniform: MethodArm?) {
    guard let difference = method.difference, let transferred = method.transferred else { return nil }
    self.method = method
    againstDirect = difference
    againstUniform = uniform.flatMap { PairedDifference(transferred.arm.top1BySeed, minus: $0.arm.top1BySeed) }
  }

  var outcome: Outcome {
    let outcomes = [againstDirect.matches, againstUniform?.matches ?? .open]
    return outcomes.contains(.failed) ? .failed : outcomes.contains(.open) ? .open : .held
  }

  /// The outcome in words, and what would tell where it is open.
  var words: String {
    switch outcome {
    case .held:
      return againstDirect.verdict == .lower
        ? "held: behind direct widths, by less than \(Format.decimal(Self.margin, 1))" : "held"
    case .failed:
      return againstDirect.matches == .failed
        ? "did not hold: worse than direct widths" : "did not hold: worse than uniform widths"
    case .open:
      guard let againstUniform else {
        return
          "cannot be told without \(againstDirect.matches == .held ? "" : "more seeds and ")a uniform network of the same seeds"
      }
      let open = [againstDirect, againstUniform].filter { $0.matches == .open }
      let seeds = open.map(\.count).min() ?? 0
      guard open.allSatisfy({ $0.interval != nil }) else {
        return "cannot be told: \(seeds == 1 ? "one seed" : "\(seeds) seeds that differ by the same")"
      }
      let needed = open.map(\.pairsToTell)
      let most = needed.contains(nil) ? nil : needed.compactMap(\.self).max()
      return "cannot be told with \(Format.number(seeds, "seed"))"
        + (most.map { "; at such differences \($0) would tell" } ?? "; the seeds lie too far apart")
    }
  }

  /// The table of all claims; nil where nothing was both searched directly and transferred.
  static func table(_ methods: [SearchedMethod], uniform: MethodArm?) -> Page.Table? {
    let claims = methods.compactMap { TransferClaim($0, uniform: uniform) }
    guard !claims.isEmpty else { return nil }
    return Page.Table(
      caption:
        "Does the transfer hold? It does where the 95 % intervals of transferred − direct and of transferred − uniform lie above −"
        + "\(Format.decimal(margin, 1)) points; it does not where one of them lies below 0 otherwise; else it cannot be told",
      columns: [
        ("Transferred search", .text), ("Saved", .number), ("−\u{A0}direct", .number), ("95\u{A0}% interval", .text),
        ("Deviation", .number), ("Pairs", .number), ("−\u{A0}uniform", .number), ("95\u{A0}% interval", .text),
        ("The claim", .text),
      ],
      rows: claims.map { claim in
        let difference = claim.againstDirect
        return [
          claim.method.name,
          claim.method.counted.map { Format.percent(100 * Overhead.saving($0.factor), 1) } ?? "–",
          Format.signed(difference.value, 2), difference.interval == nil ? "–" : difference.intervalText,
          difference.standardDeviation.map { Format.fixed($0, 2) } ?? "–", "\(difference.count)",
          claim.againstUniform?.cell ?? "–",
          claim.againstUniform?.interval == nil ? "–" : claim.againstUniform?.intervalText ?? "–", claim.words,
        ]
      })
  }
}

extension PairedDifference {
  /// Whether the values do as well as the baselines, but for ``TransferClaim/margin``.
  fileprivate var matches: TransferClaim.Outcome {
    guard let interval else { return .open }
    if interval.lowerBound > -TransferClaim.margin { return .held }
    return interval.upperBound < 0 ? .failed : .open
  }

  /// The pairs that would tell whether they do, if mean and deviation stayed as they are; nil where that is not known, or over a thousand.
  fileprivate var pairsToTell: Int? {
    // Above −margin on one side, or below 0 on the other: whichever comes first.
    pairs(forInterval: max(TransferClaim.margin + value, -value)).map { max($0, count + 1) }
  }
}
