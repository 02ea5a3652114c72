import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The three streams that every process is born with.
public enum StandardStreams {
  /// Gives those that the parent process has closed a place to go to.
  ///
  /// Else the next files to be opened would be the streams, and messages would be written into them.
  public static func ensureOpen() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
      // The lowest free number is the missing one.
      _ = open("/dev/null", O_RDWR)
    }
  }
}

/// What people read while work goes on: messages, warnings, progress.
public enum StandardError {
  /// Whether a line can be written over: a terminal that is not one that says it can do nothing.
  package static var isRewritable: Bool {
    isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Writes text; a stream that nobody reads, or a full disk behind it, must not end a training.
  public static func write(_ text: String) { _ = Data(text.utf8).withUnsafeBytes { writeAll($0, to: STDERR_FILENO) } }
}

/// What programs read: results.
public enum StandardOutput {
  /// The reader has gone, as `head` does once it has enough.
  public struct Closed: Error {
    /// Creates the error.
    public init() {}
  }

  /// Writes all of `data`.
  ///
  /// - Throws: ``FileFailure`` of kind `io`, or ``Closed``.
  public static func write(_ data: Data) throws {
    switch data.withUnsafeBytes({ writeAll($0, to: STDOUT_FILENO) }) {
    case 0: break
    case EPIPE: throw Closed()
    case let code:
      throw FileFailure(
        .io, path: "standard output",
        reason: "the result could not be written (\(errorText(code))); what is in files is complete")
    }
  }
}
