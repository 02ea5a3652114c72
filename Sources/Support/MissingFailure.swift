/// A needed thing is not there: LibTorch, CUDA, another program (exit code 69).
public struct MissingFailure: Failure, Equatable {
  /// What is missing and how to get it.
  public let message: String
  /// Always ``ExitStatus/unavailable``.
  public var exitCode: ExitStatus { .unavailable }

  /// Creates a failure that says what is missing and how to get it.
  public init(_ message: String) { self.message = message }
}
