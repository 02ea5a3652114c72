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
