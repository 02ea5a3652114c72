/// What a download did.
public struct DownloadReport: Codable, Sendable, Equatable {
  /// The data set's name.
  public var dataset: String
  /// The folder that holds it.
  public var folder: String
  /// Its files as they were published.
  public var files: [DownloadedFile]
}

/// A published file that is in place.
public struct DownloadedFile: Codable, Sendable, Equatable {
  /// Where its bytes come from.
  public enum State: String, Codable, Sendable {
    /// From the network.
    case downloaded
    /// From the network, part of it in an earlier run.
    case resumed
    /// It was there already.
    case present
  }

  /// Its name.
  public var file: String
  /// Its size.
  public var bytes: Int
  /// Its SHA-256 in lower-case hexadecimal digits.
  public var sha256: String
  /// Where its bytes come from.
  public var state: State

  init(_ file: RemoteFile, _ state: State) {
    self.file = file.name
    bytes = file.bytes
    sha256 = file.sha256
    self.state = state
  }
}
