import Networks

/// One group's new width, decided while the network is trained.
public struct WidthChange: Hashable, Sendable {
  /// The group.
  public var group: WidthGroup.ID
  /// Its channels so far.
  public var old: Int
  /// Its channels from now on.
  public var new: Int
  /// What its curve says.
  public var pattern: WidthPattern

  /// Describes a change.
  public init(_ group: WidthGroup.ID, from old: Int, to new: Int, _ pattern: WidthPattern) {
    self.group = group
    self.old = old
    self.new = new
    self.pattern = pattern
  }
}
