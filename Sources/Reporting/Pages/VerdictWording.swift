import Support

// Every word about whether a difference says anything; the rule itself is `PairedDifference`.

extension PairedDifference {
  /// The rule behind ``verdict``, as the pages state it.
  static let rule =
    "Differences are taken seed by seed. One counts as beyond the noise when the 95 % interval of its mean (Student's t) leaves out 0; one whose "
    + "interval holds 0, or of which no spread is known, stands in parentheses."

  /// The difference in points: `+0.42 pt`.
  var points: String { Format.signed(value, 2) + "\u{A0}pt" }

  /// The difference in a table; in parentheses where it says nothing.
  var cell: String {
    let text = Format.signed(value, 2)
    return isBeyondNoise ? text : "(\(text))"
  }

  /// The answer of a column "Beyond the noise".
  var beyondNoise: String {
    switch verdict {
    case .unknown: isSingle ? "not known (one seed)" : "not known (all alike)"
    case .withinNoise: "no"
    case .higher, .lower: "yes"
    }
  }

  /// The line below a number.
  var detail: String {
    switch verdict {
    case .unknown: isSingle ? Self.oneSeed : "\(count) seeds that differ by the same: no spread is known"
    case .withinNoise: "95 % interval \(intervalText): within the noise"
    case .higher, .lower: "95 % interval \(intervalText): beyond the noise"
    }
  }

  /// The line below a number of one training.
  static let oneSeed = "one seed: no spread is known"

  /// How a tile shows the difference.
  var tone: Page.Tile.Tone {
    switch verdict {
    case .higher: .good
    case .lower: .bad
    case .unknown, .withinNoise: .plain
    }
  }

  /// What optimized widths brought against uniform ones, as the beginning of a sentence.
  var claim: String {
    let points = Format.fixed(abs(value), 2)
    return switch verdict {
    case .higher: "The optimized widths are \(points) points better than uniform ones"
    case .lower: "The optimized widths are \(points) points worse than uniform ones"
    case .withinNoise:
      isNarrow
        ? "Optimized and uniform widths do equally well, to within half a point"
        : "\(Format.number(count, "seed")) cannot tell optimized and uniform widths apart"
    case .unknown:
      "With \(isSingle ? "one training" : Format.number(count, "training")) each, the optimized widths came out \(points) points \(value < 0 ? "lower" : "higher") than "
        + "uniform ones"
    }
  }

  /// Why the verdict is what it is.
  var reason: String {
    let noise =
      "over \(Format.number(count, "pair")) of the same seed, the 95 % interval of its mean is \(intervalText) points."
    return switch verdict {
    case .unknown:
      (isSingle ? "Trained once each" : "All \(count) pairs differ by the same, as a few can by chance")
        + ": no spread is known, so the difference may be chance. Ask for \(isSingle ? "several" : "more") seeds to find out."
    case .withinNoise: "The difference is within the noise: " + noise + more
    case .higher, .lower: "The difference is beyond the noise: " + noise
    }
  }

  // An interval that holds 0 says that two are alike where it is narrow, and nothing where it is wide.
  private var isNarrow: Bool {
    guard let interval else { return false }
    return interval.lowerBound > -TransferClaim.margin && interval.upperBound < TransferClaim.margin
  }

  // How many seeds would tell.
  private var more: String {
    guard !isNarrow, let pairs = pairs(forInterval: TransferClaim.margin), pairs > count else { return "" }
    return " At the deviation seen here, an interval of ± \(Format.decimal(TransferClaim.margin, 1)) points takes "
      + "\(Format.number(pairs, "seed"))."
  }

  private var isBeyondNoise: Bool { verdict == .higher || verdict == .lower }

  /// The interval: `−0.10 to +0.94`.
  package var intervalText: String {
    interval.map { "\(Format.signed($0.lowerBound, 2)) to \(Format.signed($0.upperBound, 2))" } ?? "not known"
  }
}

/// What a comparison of methods lets one say, in words.
struct MethodsVerdict {
  /// An arm beside the uniform network.
  typealias Compared = (arm: MethodArm, difference: PairedDifference)

  let baseline: MethodArm?
  /// Every other arm that has a result, where there is a uniform network to compare it with.
  let compared: [Compared]
  let methods: [SearchedMethod]
  private let arms: [MethodArm]

  init(arms: [MethodArm], methods: [SearchedMethod]) {
    self.arms = arms
    let baseline = arms.first { $0.isUniform && $0.top1 != nil }
    self.baseline = baseline
    self.methods = methods
    compared = arms.filter { $0.label != baseline?.label }.compactMap { arm in
      guard let baseline else { return nil }
      return PairedDifference(arm.arm.top1BySeed, minus: baseline.arm.top1BySeed).map { (arm, $0) }
    }
  }

  /// The sentences that matter most.
  var headline: String {
    [uniform, transfer, saving].compactMap { $0 }.joined(separator: " ")
  }

  // The arms against the uniform network.
  private var uniform: String {
    guard baseline != nil else { return "There is no uniform network here to compare the methods with." }
    guard !compared.isEmpty else {
      return arms.contains { $0.label != baseline?.label }
        ? "No seed has both the uniform network and another one yet." : "There is nothing but the uniform network here."
    }
    let known = compared.filter { $0.difference.verdict != .unknown }
    let unknown = compared.filter { $0.difference.verdict == .unknown }
    var sentences: [String] = []
    if !known.isEmpty {
      let higher = known.filter { $0.difference.verdict == .higher }
      let lower = known.filter { $0.difference.verdict == .lower }
      let within = known.count - higher.count - lower.count
      if higher.isEmpty, lower.isEmpty {
        sentences.append(
          known.count == 1
            ? "\(known[0].arm.label) widths do not differ from uniform ones beyond the noise."
            : "None of \(known.count) sets of widths differs from the uniform ones beyond the noise.")
      } else {
        let clauses = [
          Self.clause(higher, "better than uniform widths beyond the noise"),
          Self.clause(lower, higher.isEmpty ? "worse than uniform widths beyond the noise" : "worse"),
          within == 0 ? nil : "\(within == 1 ? "one lies" : "\(within) lie") within the noise",
        ]
        sentences.append(
          (known.count == 1 ? "" : "Of \(known.count) sets of widths, ")
            + clauses.compactMap { $0 }.joined(separator: "; ") + ".")
      }
    }
    if !unknown.isEmpty {
      let range = Self.range(unknown.map(\.difference.value)) { Format.signed($0, 2) }
      let who = known.isEmpty ? "" : " of \(Self.list(unknown.map(\.arm.label)))"
      let how = unknown.allSatisfy(\.difference.isSingle) ? "With one training each, no spread" : "No spread"
      sentences.append(
        "\(how) is known; the difference\(unknown.count == 1 ? "" : "s")\(who) from uniform "
          + "widths (\(range) points of top-1) may be chance.")
    }
    return sentences.joined(separator: " ")
  }

  // Transferred widths against direct ones of the same method.
  private var transfer: String? {
    let pairs = methods.compactMap { method in method.difference.map { (method, $0) } }
    guard pairs.contains(where: { $0.1.verdict != .unknown }) else { return nil }
    func named(_ verdict: PairedDifference.Verdict) -> [String] {
      pairs.filter { $0.1.verdict == verdict }.map { "\($0.0.name) (\($0.1.points))" }
    }
    let worse = named(.lower)
    let better = named(.higher)
    guard !worse.isEmpty || !better.isEmpty else {
      return "Between a method's transferred and its direct widths, no difference is beyond the noise."
    }
    let clauses = [
      worse.isEmpty ? nil : "worse for \(Self.list(worse))", better.isEmpty ? nil : "better for \(Self.list(better))",
    ]
    let within = pairs.count { $0.1.verdict == .withinNoise }
    return "Beyond the noise, transferred widths are \(Self.list(clauses.compactMap { $0 })) than direct ones"
      + (within == 0 ? "." : "; for \(Format.number(within, "other method")) no difference is.")
  }

  // What the transferred searches spared, where both were run.
  private var saving: String? {
    let factors = methods.compactMap { method in method.counted.flatMap { $0.isRun ? $0.factor : nil } }
    guard !factors.isEmpty else { return nil }
    return "Direct search took \(Self.range(factors, Format.factor)) the compute of transferred search."
  }

  /// The least and the most of some values, or the one value.
  static func range(_ values: [Double], _ text: (Double) -> String) -> String {
    guard let least = values.min(), let most = values.max() else { return "–" }
    return text(least) == text(most) ? text(least) : "\(text(least)) to \(text(most))"
  }

  // A long enumeration is for the table.
  private static func clause(_ group: [Compared], _ words: String) -> String? {
    guard !group.isEmpty else { return nil }
    func named(_ one: Compared) -> String { "\(one.arm.label) (\(one.difference.points))" }
    let verb = group.count == 1 ? "is" : "are"
    guard group.count > 3 else { return "\(list(group.map(named))) \(verb) \(words)" }
    let furthest = group.max { abs($0.difference.value) < abs($1.difference.value) }
    return "\(group.count) are \(words)" + (furthest.map { ", most of all \(named($0))" } ?? "")
  }

  private static func list(_ parts: [String]) -> String {
    parts.count < 2
      ? parts.first ?? "" : parts.dropLast().joined(separator: ", ") + " and " + (parts.last ?? "")
  }
}
