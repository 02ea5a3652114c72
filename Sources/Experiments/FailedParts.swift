import Records
import Support

/// Some parts of a plan failed; the others are done.
public struct FailedParts: Failure {
  /// What failed, and why.
  public let parts: [FailedPart]
  /// What the program ends with.
  public let exitCode: ExitStatus

  /// Describes a failure; 65, of numbers that went bad, unless told otherwise.
  public init(_ parts: [FailedPart], exitCode: ExitStatus = .badData) {
    self.parts = parts
    self.exitCode = exitCode
  }

  /// What happened.
  public var message: String {
    "\(parts.count == 1 ? "one job" : "\(parts.count) jobs") failed, the others are done and kept:\n"
      + parts.map { "  \($0.name): \($0.reason)" }.joined(separator: "\n")
  }
}
