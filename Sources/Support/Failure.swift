/// An error that a user can act on: it names the thing at fault and says what to do.
///
/// The command line prints ``message`` and ends with ``exitCode``; the codes are those of `sysexits.h`.
public protocol Failure: Error, CustomStringConvertible, Sendable {
  /// What is wrong, where, and what to do about it.
  var message: String { get }
  /// The process exit code that stands for this kind of error.
  var exitCode: ExitStatus { get }
}

extension Failure {
  /// The message, so that an uncaught failure still reads well.
  public var description: String { message }
}

/// Process exit codes, a contract with the scripts that call this program.
public enum ExitStatus: Int32, Sendable, Hashable, CaseIterable {
  /// Done.
  case success = 0
  /// The command line is wrong.
  case usage = 64
  /// A file or model holds bad data.
  case badData = 65
  /// A named input does not exist.
  case noInput = 66
  /// A needed thing (LibTorch, CUDA) is missing.
  case unavailable = 69
  /// A bug in this program.
  case internalError = 70
  /// An output cannot be created.
  case cannotCreate = 73
  /// Reading or writing failed, for example because the disk is full.
  case ioError = 74
  /// Standard output was closed by its reader, as by `head`: what a shell reports of a process that SIGPIPE ended.
  case closedPipe = 141
  /// Interrupted by SIGINT, after a checkpoint was written.
  case interrupted = 130
  /// Ended by SIGTERM, after a checkpoint was written.
  case terminated = 143
}
