/// What happens during a download, for those who show progress.
public enum DownloadEvent: Sendable, Equatable {
  /// The file is there already, with the right checksum.
  case present(file: String)
  /// The file is asked for; `kept` bytes of it are there from before.
  case started(file: String, address: String, kept: Int, bytes: Int)
  /// This much of the file is there now.
  case progress(file: String, done: Int, bytes: Int)
  /// An attempt failed; another one follows.
  case setback(file: String, reason: String)
  /// This many files of the archive are unpacked.
  case unpacking(file: String, members: Int)
}
