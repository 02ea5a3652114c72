import CTorch

extension Tensor {
  /// Whether operations on this tensor are recorded for differentiation.
  public var requiresGradient: Bool { ct_requires_grad(handle) }

  /// Makes this (leaf) tensor a parameter, or stops it being one.
  public func setRequiresGradient(_ requires: Bool) throws {
    try check(ct_set_requires_grad(handle, requires), "requires_grad")
  }

  /// The same elements without a history.
  public func detached() throws -> Tensor { try wrap(ct_detach(handle), "detach") }

  /// The accumulated gradient, or nil when there is none.
  public var gradient: Tensor? { ct_grad(handle).map(Tensor.init(owning:)) }

  /// Sets or removes the accumulated gradient.
  public func setGradient(_ gradient: Tensor?) throws {
    try check(ct_set_grad(handle, gradient?.handle), "set gradient")
  }

  /// Adds the derivatives of this scalar (or of its product with `seed`) to the gradients of all parameters behind it.
  public func backward(seed: Tensor? = nil) throws {
    try check(ct_backward(handle, seed?.handle), "backward")
  }

  /// The derivatives of this tensor for `inputs`, leaving every accumulated gradient alone; nil for unused inputs.
  public func gradients(of inputs: [Tensor], seed: Tensor? = nil) throws -> [Tensor?] {
    var results = [ct_tensor?](repeating: nil, count: inputs.count)
    let handles = inputs.map(\.handle)
    try check(ct_gradients(handle, seed?.handle, handles, handles.count, &results), "gradients")
    return results.map { $0.map(Tensor.init(owning:)) }
  }

  /// Removes the gradients of many tensors at once.
  public static func clearGradients(_ tensors: [Tensor]) throws {
    try check(ct_clear_grads(tensors.map(\.handle), tensors.count), "clear gradients")
  }
}
