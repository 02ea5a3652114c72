/// A failure in what the user asked for: a flag, a name or a value (exit code 64).
public struct UsageFailure: Failure, Equatable {
  /// The flag or name at fault and what to do.
  public let message: String
  /// Always ``ExitStatus/usage``.
  public var exitCode: ExitStatus { .usage }

  /// Creates a failure that says what was wrong with the request.
  public init(_ message: String) { self.message = message }
}
