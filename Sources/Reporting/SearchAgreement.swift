import Networks
import Records

/// How far the searches of an arm agree with each other, and with those of another arm: Pearson's correlation of the multipliers of
/// two searches over the width groups, for every pair of them.
///
/// A search whose outcome is chance agrees with no other, whatever its mean looks like.
struct SearchAgreement: Sendable {
  /// The correlations of the pairs that have one, ascending.
  let correlations: [Double]
  /// How many searches there were, of the first arm.
  let searches: Int

  /// The searches of one arm among themselves.
  ///
  /// - Returns: nil for an arm with a single search.
  init?(of arm: MethodArm, groups: [GroupRecord]) {
    let found = Self.searches(of: arm, groups)
    guard found.count > 1 else { return nil }
    searches = found.count
    correlations = found.indices.flatMap { first in
      found.indices.dropFirst(first + 1).compactMap { Self.correlation(found[first], found[$0]) }
    }.sorted()
  }

  /// Every search of one arm beside every search of another.
  init(of arm: MethodArm, with other: MethodArm, groups: [GroupRecord]) {
    let found = Self.searches(of: arm, groups)
    searches = found.count
    correlations = found.flatMap { one in
      Self.searches(of: other, groups).compactMap { Self.correlation(one, $0) }
    }.sorted()
  }

  /// The mean of the correlations; nil where there is none, as of uniform widths.
  var mean: Double? { correlations.isEmpty ? nil : correlations.reduce(0, +) / Double(correlations.count) }

  // One for each search: seeds that took the same one in turn have its widths.
  private static func searches(of arm: MethodArm, _ groups: [GroupRecord]) -> [[Double?]] {
    var seen: Set<String> = []
    return arm.arm.members.filter { seen.insert($0.searchFolder ?? "\($0.folder)/search").inserted }
      .map { member in groups.map(member.multiplier) }
  }

  private static func correlation(_ first: [Double?], _ second: [Double?]) -> Double? {
    let pairs = zip(first, second).compactMap { first, second in
      first.flatMap { first in second.map { (first, $0) } }
    }
    return Similarity.pearson(pairs.map(\.0), pairs.map(\.1))
  }
}
