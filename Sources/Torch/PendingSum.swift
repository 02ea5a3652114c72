import CTorch

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
