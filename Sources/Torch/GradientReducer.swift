import CTorch

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
