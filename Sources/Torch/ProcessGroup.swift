import CTorch
import Foundation
import Support

/// Processes that compute together, over LibTorch's c10d with Gloo.
///
/// All of them make the same calls in the same order; each call waits for all. What they have in common afterwards is equal to the bit.
public final class ProcessGroup {
  /// This process's number, from 0.
  public let rank: Int
  /// How many there are.
  public let size: Int
  /// How many bytes this process has put into sums and averages.
  public private(set) var bytes = 0
  let handle: ct_group

  /// Whether this program was compiled with what is needed for several processes.
  public static var isAvailable: Bool { ct_group_available() }

  /// Waits for all processes that were started together.
  ///
  /// - Parameters:
  ///   - place: This process's place among them.
  ///   - timeout: Seconds after which a call gives up waiting for the others.
  /// - Throws: ``GroupFailure`` when they do not come, or cannot be reached.
  public init(_ place: LaunchedProcess, timeout: Double) throws {
    guard Self.isAvailable else { throw UsageFailure(Self.missing) }
    let prefix = "width-transfer/attempt_\(place.attempt)"
    guard
      let handle = ct_group_join(
        place.address, Int32(place.port), place.opensStore, Int32(place.rank), Int32(place.worldSize), timeout, prefix)
    else {
      throw GroupFailure(meeting: place, reason: String(cString: ct_last_error()))
    }
    self.handle = handle
    rank = place.rank
    size = place.worldSize
  }

  deinit { ct_group_leave(handle) }

  private static let missing =
    "this build works in one process: Gloo's headers (Debian's libgloo-dev) were not there when it was compiled. "
    + "Install them and build again, or start it without a launcher"

  /// Replaces each tensor by the sum of those of all processes.
  public func sum(_ tensors: [Tensor]) throws {
    try checkGroup(ct_group_sum(handle, tensors.map(\.handle), tensors.count), "adding up numbers")
    count(tensors)
  }

  /// Begins to replace a tensor by the sum of those of all processes, while this one computes on.
  public func beginSum(_ tensor: Tensor) throws -> PendingSum {
    guard let handle = ct_group_begin_sum(self.handle, tensor.handle) else {
      throw GroupFailure(
        rank: rank, size: size, doing: PendingSum.doing, reason: String(cString: ct_last_error()))
    }
    count([tensor])
    return PendingSum(handle, self, tensor)
  }

  /// Replaces the gradients of parameters by their averages.
  public func averageGradients(of parameters: [Tensor]) throws {
    try checkGroup(
      ct_group_average_gradients(handle, parameters.map(\.handle), parameters.count), "averaging gradients")
    count(parameters)
  }

  /// Replaces tensors by those of one process.
  public func broadcast(_ tensors: [Tensor], from root: Int = 0) throws {
    try checkGroup(
      ct_group_broadcast(handle, tensors.map(\.handle), tensors.count, Int32(root)), "sending tensors")
  }

  /// One process's bytes; the argument counts there alone.
  public func broadcast(_ data: Data, from root: Int = 0) throws -> Data {
    let length = try Tensor([Int64(data.count)])
    try broadcast([length], from: root)
    let count = Int(try length.integerItem())
    guard count > 0 else { return Data() }
    let bytes =
      try rank == root
      ? data.withUnsafeBytes { try Tensor(bytes: $0, shape: [count], scalarType: .uint8) }
      : Tensor.zeros([count], .uint8)
    try broadcast([bytes], from: root)
    let values: [UInt8] = try bytes.array()
    return Data(values)
  }

  func count(_ tensors: [Tensor]) {
    for tensor in tensors { bytes += tensor.count * tensor.scalarType.byteCount }
  }

  func checkGroup(_ status: Int32, _ doing: String) throws {
    guard status != 0 else { return }
    throw GroupFailure(rank: rank, size: size, doing: doing, reason: String(cString: ct_last_error()))
  }
}

/// A sum over a group's processes that is on its way.
public final class PendingSum {
  static let doing = "adding up numbers"
  private var handle: ct_pending_sum?
  private let group: ProcessGroup
  private let tensor: Tensor

  init(_ handle: ct_pending_sum, _ group: ProcessGroup, _ tensor: Tensor) {
    (self.handle, self.group, self.tensor) = (handle, group, tensor)
  }

  deinit { if let handle { _ = ct_pending_sum_wait(handle) } }

  /// Waits for it, and returns the tensor, which is the sum then.
  public func wait() throws -> Tensor {
    if let handle {
      self.handle = nil
      try group.checkGroup(ct_pending_sum_wait(handle), Self.doing)
    }
    return tensor
  }
}

/// LibTorch's bucketed reducer: averages gradients over a group's processes while the rest of them is still computed.
public final class GradientReducer {
  private let handle: ct_reducer
  private let group: ProcessGroup
  private let parameters: [Tensor]

  /// Watches over parameters, all of which get a gradient in every backward pass.
  public init(_ parameters: [Tensor], _ group: ProcessGroup) throws {
    guard let handle = ct_reducer_new(group.handle, parameters.map(\.handle), parameters.count) else {
      throw GroupFailure(
        rank: group.rank, size: group.size, doing: "making a reducer", reason: String(cString: ct_last_error()))
    }
    self.handle = handle
    self.group = group
    self.parameters = parameters
  }

  deinit { ct_reducer_free(handle) }

  /// Makes the backward pass that follows average the gradients.
  public func prepare() throws {
    try group.checkGroup(ct_reducer_prepare(handle), "preparing a backward pass")
    group.count(parameters)
  }
}

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

/// Which samples of a batch a tensor holds.
public struct BatchPlace: Sendable, Hashable {
  /// The first.
  public var first: Int
  /// The samples of the whole batch.
  public var whole: Int

  /// Describes a place.
  public init(first: Int, whole: Int) {
    self.first = first
    self.whole = whole
  }
}
