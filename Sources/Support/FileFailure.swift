import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// A failure about one file or folder, with the exit code that fits its kind.
public struct FileFailure: Failure, Equatable {
  /// What went wrong, in the terms of the exit codes.
  public enum Kind: Sendable, Equatable {
    /// The file does not exist or cannot be opened for reading.
    case missing
    /// The file's content is wrong.
    case badData
    /// The file is of a format that is not read.
    case unsupported
    /// The file declares or holds more than the limits allow.
    case beyondLimit
    /// The file or folder cannot be created.
    case cannotCreate
    /// Reading or writing failed half way.
    case io

    /// What the system's error number means for something that was to be created: a full disk is not a wrong place.
    public init(creating code: Int32) {
      self = [ENOSPC, EDQUOT, EFBIG, EIO].contains(code) ? .io : .cannotCreate
    }
  }

  /// What went wrong.
  public let kind: Kind
  /// The file or folder at fault.
  public let path: String
  /// The place in the file, the reason, and what to do.
  public let reason: String

  /// Creates a failure about `path`.
  public init(_ kind: Kind, path: String, reason: String) {
    self.kind = kind
    self.path = path
    self.reason = reason
  }

  /// The path and the reason.
  public var message: String { "\(path): \(reason)" }

  /// 66, 65, 73 or 74, by kind.
  public var exitCode: ExitStatus {
    switch kind {
    case .missing: .noInput
    case .badData, .unsupported, .beyondLimit: .badData
    case .cannotCreate: .cannotCreate
    case .io: .ioError
    }
  }
}
