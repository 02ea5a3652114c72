import CTorch

/// What a part of a network gives for `inputs`, keeping nothing of what lies in between for the derivative, which computes the part once
/// more: activation checkpointing (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016), as `torch.utils.checkpoint`.
///
/// Mixed precision and the numbers drawn from `generator` are the same both times.
///
/// - Parameters:
///   - inputs: What the part reads and may depend on other tensors; at least one.
///   - leaves: The parameters that the part uses.
///   - generator: What the part draws from, if it does.
///   - part: Computes the result; the second value is whether it is the second time.
/// - Throws: What `part` throws. When it fails the second time, the backward pass throws a ``TorchError`` with its message.
public func recomputing(
  _ inputs: [Tensor], leaves: [Tensor], drawingFrom generator: Generator? = nil,
  _ part: @escaping ([Tensor], Bool) throws -> Tensor
) throws -> Tensor {
  let box = Part(compute: part)
  let result = ct_recomputed(
    inputs.map(\.handle), inputs.count, leaves.map(\.handle), leaves.count, generator?.handle,
    { context, handles, count, again in
      let box = Unmanaged<Part>.fromOpaque(context).takeUnretainedValue()
      let inputs = (0..<count).map { Tensor(owning: handles[$0]) }
      do {
        return withExtendedLifetime(try box.compute(inputs, again)) { ct_same_tensor($0.handle) }
      } catch {
        box.failure = error
        ct_set_error("\((error as? TorchError)?.reason ?? "\(error)")")
        return nil
      }
    },
    Unmanaged.passRetained(box).toOpaque(), { Unmanaged<Part>.fromOpaque($0).release() })
  if let failure = box.failure { throw failure }
  return try wrap(result, "recomputation")
}

private final class Part {
  let compute: ([Tensor], Bool) throws -> Tensor
  var failure: (any Error)?

  init(compute: @escaping ([Tensor], Bool) throws -> Tensor) { self.compute = compute }
}
