/// A failure in what the user asked for: a flag, a name or a value (exit code 64).
public struct UsageFailure: Failure, Equatable {
  /// The flag or name at fault.
  public let fault: String
  /// What to do, a sentence; nil where the fault says it.
  public var remedy: String?
  /// The flag or name at fault and what to do.
  public var message: String { remedy.map { "\(fault). \($0)" } ?? fault }
  /// Always ``ExitStatus/usage``.
  public var exitCode: ExitStatus { .usage }

  /// Creates a failure that says what was wrong with the request.
  ///
  /// - Parameter remedy: What to do, where whoever passes the failure on may know better.
  public init(_ fault: String, remedy: String? = nil) {
    self.fault = fault
    self.remedy = remedy
  }

  /// A folder holds what another request made.
  ///
  /// - Parameters:
  ///   - folder: Its path.
  ///   - difference: What the requests differ in.
  public static func otherRun(in folder: String, _ difference: String) -> UsageFailure {
    UsageFailure(
      "\(folder) holds another run: \(difference)",
      remedy: "Choose another `output`, or start anew with `overwrite`")
  }
}
