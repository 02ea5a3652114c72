import CTorch

/// LibTorch's bucketed reducer: averages gradients over a group's processes while the rest of them is still computed.
///
/// The first backward pass says which parameters have gradients, and in which order they come; its gradients are averaged behind it, in the
/// buckets of those that follow. So a training that goes on adds up in the order of one that was not stopped, however many processes there are.
public final class GradientReducer {
  private let handle: ct_reducer
  private let group: ProcessGroup
  private let parameters: [Tensor]

  /// Watches over parameters, all of which, or none, get a gradient in every backward pass.
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

  /// Means over backward passes, in seconds.
  public struct Times: Sendable {
    /// Computing gradients.
    public var backward: Double
    /// From the first bucket's leaving to the last one's arrival.
    public var exchange: Double
    /// How much of the exchange gradients were still computed.
    public var overlap: Double
  }

  /// What passes took so far, but for the first and the latest; nil where there are none.
  public var times: Times? {
    var seconds = [0.0, 0, 0]
    guard ct_reducer_times(handle, &seconds) else { return nil }
    return Times(backward: seconds[0], exchange: seconds[1], overlap: seconds[2])
  }

  /// Averages the gradients of a backward pass.
  public func averaging(_ backward: () throws -> Void) throws {
    try group.checkGroup(ct_reducer_prepare(handle), "preparing a backward pass")
    try backward()
    try group.checkGroup(ct_reducer_finish(handle), "averaging gradients")
    group.count(parameters.filter { $0.gradient != nil })
  }
}
