import Networks

/// Whether layers that are wide enough lose more channels to merging than layers that are too narrow: table T2, with the expectation that they do.
/// [reconstructed]
public struct MergeSurvival: Codable, Sendable {
  /// One group.
  public struct Group: Codable, Sendable {
    /// The group.
    public var id: WidthGroup.ID
    /// Its pattern.
    public var pattern: WidthPattern
    /// D.
    public var drop: Double?
    /// The part of its channels that is left.
    public var left: Double
  }

  /// The groups that could be merged and have a pattern.
  public var groups: [Group]
  /// The mean part that is left of groups that are wide enough; nil when there are none.
  public var wideEnough: Double?
  /// The same of groups that are too narrow.
  public var tooNarrow: Double?
  /// Spearman's ρ of what is left and D; nil where it is not defined.
  public var correlation: Double?
  /// Whether the parts of the two kinds differ; nil when there is but one kind.
  public var test: MannWhitney?

  /// Sets what is left beside what was diagnosed.
  public init(_ groups: [(id: WidthGroup.ID, pattern: WidthPattern, drop: Double?, left: Double)]) {
    self.groups = groups.map { Group(id: $0.id, pattern: $0.pattern, drop: $0.drop, left: $0.left) }
    func left(_ pattern: WidthPattern) -> [Double] { groups.filter { $0.pattern == pattern }.map(\.left) }
    func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
    let (wide, narrow) = (left(.increaseToSaturate), left(.decreaseToSaturate))
    wideEnough = mean(wide)
    tooNarrow = mean(narrow)
    let both = groups.compactMap { group in group.drop.map { (group.left, $0) } }
    correlation = rankCorrelation(both.map(\.0), both.map(\.1))
    test = MannWhitney(wide, narrow)
  }
}
