import CTorch

/// What LibTorch's operations of one name took, while ``Torch/measuringOperations(_:)`` ran.
public struct OperationTime: Sendable, Hashable {
  /// The operation's name as LibTorch has it, such as `aten::convolution_backward`; `autograd` for the nodes of the graph.
  public var name: String
  /// Seconds in it and not in operations that it calls.
  public var seconds: Double
  /// Bytes of its arguments and results, each counted once a call.
  public var bytes: Double
  /// How often it was called.
  public var calls: Int
}

extension Torch {
  /// Runs `body` and measures the operations that this thread calls meanwhile, on the CPU; sorted by name.
  ///
  /// Measuring costs a microsecond or two a call.
  ///
  /// - Throws: What `body` throws, and ``TorchError`` inside of another measurement of the same thread.
  public static func measuringOperations(_ body: () throws -> Void) throws -> [OperationTime] {
    try check(ct_profile_begin(), "measure operations")
    var times: [OperationTime] = []
    let outcome = Result(catching: body)
    let status = withUnsafeMutablePointer(to: &times) { place in
      ct_profile_end(
        { context, name, seconds, bytes, calls in
          context.assumingMemoryBound(to: [OperationTime].self).pointee
            .append(OperationTime(name: String(cString: name), seconds: seconds, bytes: bytes, calls: Int(calls)))
        }, place)
    }
    try outcome.get()
    try check(status, "measure operations")
    return times
  }
}
