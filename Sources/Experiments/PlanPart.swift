import Records
import Support
import Training

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
  ///   - store: The run folder's jobs, opened for one of several processes.
  func perform(part: String, in store: JobStore) throws
}

extension PartedPlan {
  /// Does parts beside other processes, on this machine or others, that do the same plan in the same folder.
  ///
  /// What another is at is passed over; in the end it is waited for, and done here if the other dies. A training that diverges does not hold up
  /// other parts.
  ///
  /// - Parameters:
  ///   - store: The run folder's jobs, opened with ``JobStore/Sharing/passing``.
  ///   - cancellation: What may end the wait.
  ///   - waiting: Told once which parts are waited for.
  /// - Throws: ``FailedParts`` when all others are done.
  public func perform(
    _ parts: [PlanPart], in store: JobStore, _ cancellation: Cancellation = .signals,
    waiting: ([String]) throws -> Void = { _ in }
  ) throws {
    var rest = parts.map(\.name)
    var failed: [FailedPart] = []
    var hasTold = false
    while !rest.isEmpty {
      var elsewhere: [String] = []
      for part in rest {
        do {
          try perform(part: part, in: store)
        } catch is JobStore.Elsewhere {
          elsewhere.append(part)
        } catch let failure as TrainingFailure {
          failed.append(FailedPart(name: part, reason: failure.message))
        }
      }
      if elsewhere.count == rest.count {
        if !hasTold { try waiting(elsewhere) }
        hasTold = true
        try cancellation.pause(seconds: 1)
      }
      rest = elsewhere
    }
    guard failed.isEmpty else { throw FailedParts(failed) }
  }

  /// The parts of which something has not been done, or cannot be read; they follow none but each other.
  public func missing(_ parts: [PlanPart], in folder: RunFolder) throws -> [PlanPart] {
    let store = try JobStore(folder, sharing: .reading)
    let left = parts.filter { part in (try? perform(part: part.name, in: store)) == nil }
    let names = Set(left.map(\.name))
    return left.map { PlanPart($0.name, after: $0.after.filter(names.contains)) }
  }
}
