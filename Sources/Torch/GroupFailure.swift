import Foundation
import Support

/// Processes that compute together have lost each other.
public struct GroupFailure: Failure, Equatable {
  /// This process's number, from 0.
  public let rank: Int
  /// How many there were.
  public let size: Int
  /// What they were at.
  public let doing: String
  /// LibTorch's words.
  public let reason: String
  private let meetingPlace: String?
  /// What is kept, and what to do.
  public var remark = "start all of them again, and the work goes on from its last checkpoint"

  /// 74: neither this program nor its input is at fault.
  public var exitCode: ExitStatus { .ioError }

  /// Which process lost the others, when, and what to do.
  public var message: String {
    let what = meetingPlace.map { "did not meet the others at \($0)" } ?? "lost the others while \(doing)"
    return "rank \(rank) of \(size) processes \(what): \(Self.short(reason)); \(remark)"
  }

  /// Describes a loss.
  public init(rank: Int, size: Int, doing: String, reason: String) {
    (self.rank, self.size, self.doing, self.reason) = (rank, size, doing, reason)
    meetingPlace = nil
  }

  /// Describes processes that did not come together.
  init(meeting place: LaunchedProcess, reason: String) {
    (rank, size, doing, self.reason) = (place.rank, place.worldSize, "meeting", reason)
    meetingPlace = "\(place.address):\(place.port)"
    remark = "start all of them, see that MASTER_ADDR and MASTER_PORT can be reached, or give `collective-timeout` more"
  }

  /// The thread's last failure, where it is one of communication: an operation that sends something on its way says so by its message alone.
  static func last(_ doing: String, _ group: ProcessGroup) -> GroupFailure? {
    GroupFailure(TorchError.last(doing), rank: group.rank, size: group.size)
  }

  /// An error of LibTorch's, where it is one of communication.
  public init?(_ error: TorchError, rank: Int, size: Int) {
    let reason = error.reason.lowercased()
    let words = [
      "gloo", "c10d", "processgroup", "connection", "timed out", "timeout", "pair closure", "by peer", "socket",
      "read error",
      "write error", "broken pipe", "to host",
    ]
    guard words.contains(where: reason.contains) else { return nil }
    self.init(rank: rank, size: size, doing: error.operation, reason: error.reason)
  }

  // LibTorch's messages begin with a place in its sources, and end with advice on other programs.
  private static func short(_ reason: String) -> String {
    var line = reason.split(separator: "\n").first.map(String.init) ?? reason
    for remark in [". This is typically caused", " Exception raised from"] {
      if let start = line.range(of: remark) { line = String(line[..<start.lowerBound]) }
    }
    guard line.hasPrefix("["), let end = line.range(of: "] ") else { return line }
    return String(line[end.upperBound...])
  }
}
