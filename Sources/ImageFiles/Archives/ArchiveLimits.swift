/// Bounds on what an archive may hold, checked while it is read and before anything is kept.
public struct ArchiveLimits: Sendable, Hashable {
  /// The most bytes that a compressed archive may expand to, as a multiple of its own; images hardly compress.
  public var expansion: Double
  /// What a compressed archive may expand to in any case.
  public var smallExpansion: Int
  /// The most members.
  public var members: Int

  /// Creates limits; the defaults let all well-known data sets through.
  public init(expansion: Double = 20, smallExpansion: Int = 1 << 26, members: Int = 50_000_000) {
    self.expansion = expansion
    self.smallExpansion = smallExpansion
    self.members = members
  }

  /// The most bytes that an archive of `bytes` may expand to.
  func content(ofArchive bytes: Int) -> Int {
    max(smallExpansion, Int(min(Double(bytes) * expansion, 9e18)))
  }
}
