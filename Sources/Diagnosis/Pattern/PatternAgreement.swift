/// What several seeds say of one group.
public struct PatternAgreement: Codable, Hashable, Sendable {
  /// The pattern that most seeds have; ambiguous where fewer than seven in ten do.
  public var pattern: WidthPattern
  /// The share of the seeds that have the most frequent pattern.
  public var agreement: Double
  /// How many seeds there are.
  public var seeds: Int
  /// How many seeds have each pattern.
  public var counts: [String: Int]
  /// The median of D over the seeds that have one.
  public var drop: Double?
  /// The mean confidence of the seeds that have the pattern.
  public var confidence: Double

  /// Below this share of the seeds, nothing is agreed on.
  public static let leastAgreement = 0.7

  /// Sums up the findings of several seeds.
  ///
  /// - Precondition: At least one finding.
  public init(_ findings: [PatternFinding]) {
    precondition(!findings.isEmpty, "no seed was classified")
    var counts: [WidthPattern: Int] = [:]
    for finding in findings { counts[finding.pattern, default: 0] += 1 }
    let most = WidthPattern.allCases.max { (counts[$0] ?? 0) < (counts[$1] ?? 0) } ?? .undetermined
    seeds = findings.count
    agreement = Double(counts[most] ?? 0) / Double(findings.count)
    pattern = agreement < Self.leastAgreement ? .ambiguous : most
    self.counts = Dictionary(uniqueKeysWithValues: counts.map { ($0.rawValue, $1) })
    let drops = findings.compactMap(\.drop).sorted()
    drop =
      drops.isEmpty ? nil : (drops[(drops.count - 1) / 2] + drops[drops.count / 2]) / 2
    let alike = findings.filter { $0.pattern == most }
    confidence = pattern == most ? alike.reduce(0) { $0 + $1.confidence } / Double(alike.count) : 0
  }

  /// How many seeds have the pattern; nil where they disagree.
  public var alike: Int? { agreement < Self.leastAgreement ? nil : Int((agreement * Double(seeds)).rounded()) }

  /// What the seeds say, in words: `DS in 9 of 10`; `seeds disagree: 2 × DS, 1 × IS` where the pattern is none of the most frequent.
  public var words: String {
    if let alike { return "\(pattern.short) in \(alike) of \(seeds)" }
    let parts = WidthPattern.allCases.compactMap { pattern in
      counts[pattern.rawValue].map { (count: $0, text: "\($0) × \(pattern.short)") }
    }
    return "seeds disagree: "
      + parts.sorted { ($1.count, $0.text) < ($0.count, $1.text) }.map(\.text).joined(separator: ", ")
  }
}
