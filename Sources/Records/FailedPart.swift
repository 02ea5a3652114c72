/// A part of a plan that could not be brought to an end, while others were.
public struct FailedPart: Codable, Sendable, Equatable {
  /// Its folder, relative to the run folder.
  public var name: String
  /// What happened.
  public var reason: String

  /// Describes a part.
  public init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }
}
