import Support
import Transfer

/// The claim of width transfer, of one transferred search: its widths do as well as those of the direct search, and no worse than uniform ones.
struct TransferClaim {
  /// What the seeds say of it.
  enum Outcome: Hashable {
    /// The interval of transferred − direct lies above −``margin``, and uniform widths are not better.
    case held
    /// Transferred widths are worse than direct or than uniform ones, beyond the noise.
    case failed
    /// Neither.
    case open
  }

  /// By how many points of top-1 transferred widths may fall below direct ones and still be said to match them.
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
    if againstDirect.verdict == .lower || againstUniform?.verdict == .lower { return .failed }
    guard let interval = againstDirect.interval, interval.lowerBound > -Self.margin else { return .open }
    return .held
  }

  /// The outcome in words, and what would tell where it is open.
  var words: String {
    switch outcome {
    case .held: return "held"
    case .failed:
      return againstDirect.verdict == .lower
        ? "did not hold: worse than direct widths" : "did not hold: worse than uniform widths"
    case .open:
      guard againstDirect.interval != nil else { return "cannot be told: one seed" }
      let pairs = againstDirect.pairs(forInterval: Self.margin)
      return "cannot be told with \(Format.number(againstDirect.count, "seed"))"
        + (pairs.map { $0 > againstDirect.count ? "; \($0) would tell ± \(Format.decimal(Self.margin, 1))" : "" }
          ?? "; the seeds lie too far apart")
    }
  }

  /// The table of all claims; nil where nothing was both searched directly and transferred.
  static func table(_ methods: [SearchedMethod], uniform: MethodArm?) -> Page.Table? {
    let claims = methods.compactMap { TransferClaim($0, uniform: uniform) }
    guard !claims.isEmpty else { return nil }
    return Page.Table(
      caption: "Does the transfer hold? It does where the 95 % interval of transferred − direct lies above −"
        + "\(Format.decimal(margin, 1)) points and transferred widths are not worse than uniform ones",
      columns: [
        ("Transferred search", .text), ("Saved", .number), ("−\u{A0}direct", .number), ("95\u{A0}% interval", .text),
        ("Deviation", .number), ("Pairs", .number), ("−\u{A0}uniform", .number), ("The claim", .text),
      ],
      rows: claims.map { claim in
        let difference = claim.againstDirect
        return [
          claim.method.name,
          claim.method.counted.map { Format.percent(100 * Overhead.saving($0.factor), 1) } ?? "–",
          Format.signed(difference.value, 2), difference.interval == nil ? "–" : difference.intervalText,
          difference.standardDeviation.map { Format.fixed($0, 2) } ?? "–", "\(difference.count)",
          claim.againstUniform?.cell ?? "–", claim.words,
        ]
      })
  }
}
