/// A piece of a plan that a process of its own can carry out, beside others.
public struct PlanPart: Sendable, Hashable {
  /// What it is called: the folder of what it makes, relative to the run folder.
  public var name: String
  /// The names of the parts that have to be done before.
  public var after: [String]

  /// Describes a part.
  public init(_ name: String, after: [String] = []) {
    self.name = name
    self.after = after
  }
}

/// A plan that can be carried out in parts, by several processes at once.
///
/// Each part does some of the plan's jobs in the folders where the plan would look for them. A process that then carries out the whole plan
/// finds them done, and only sums up; the numbers are those of one process that does everything.
public protocol PartedPlan {
  /// The parts.
  var parts: [PlanPart] { get }
  /// Does one of them.
  ///
  /// - Parameters:
  ///   - part: The name of one of ``parts``.
  ///   - store: The run folder's jobs, opened as ``JobStore/init(sharing:surroundings:)`` does.
  func perform(part: String, in store: JobStore) throws
}
