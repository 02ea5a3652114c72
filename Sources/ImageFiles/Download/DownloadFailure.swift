import Support

/// A data set that could not be fetched: no network, or servers that do not have it.
public struct DownloadFailure: Failure, Equatable {
  /// What was tried, and how to get the files without this program.
  public let message: String
  /// 69, or 74 when a connection was lost and part of a file is kept.
  public let exitCode: ExitStatus
}
