import CTorch

extension Tensor {
  /// The same elements in another shape; -1 stands for one size to be worked out.
  public func reshaped(_ shape: [Int]) throws -> Tensor {
    try wrap(ct_reshape(handle, shape.int64, Int32(shape.count)), "reshape")
  }
  /// The dimensions in another order.
  public func permuted(_ order: [Int]) throws -> Tensor {
    try wrap(ct_permute(handle, order.int64, Int32(order.count)), "permute")
  }
  /// All dimensions from `start` on as one.
  public func flattened(from start: Int = 0) throws -> Tensor { try wrap(ct_flatten(handle, Int64(start)), "flatten") }
  /// With a new dimension of size 1.
  public func unsqueezed(_ dimension: Int) throws -> Tensor {
    try wrap(ct_unsqueeze(handle, Int64(dimension)), "unsqueeze")
  }
  /// A view of some positions along a dimension.
  public func slice(_ dimension: Int, _ range: Range<Int>, step: Int = 1) throws -> Tensor {
    try wrap(
      ct_slice(handle, Int64(dimension), Int64(range.lowerBound), Int64(range.upperBound), Int64(step)), "slice")
  }
  /// The positions named by `indices` (int64) along a dimension.
  public func selecting(_ dimension: Int, _ indices: Tensor) throws -> Tensor {
    try wrap(ct_index_select(handle, Int64(dimension), indices.handle), "index_select")
  }
  /// For each position, the element that `indices` (int64) names along a dimension.
  public func gathering(_ dimension: Int, _ indices: Tensor) throws -> Tensor {
    try wrap(ct_gather(handle, Int64(dimension), indices.handle), "gather")
  }
  /// These elements, where `indices` names a place along a dimension replaced by the element of `source` that stands where the index does.
  public func scattering(_ dimension: Int, _ indices: Tensor, _ source: Tensor) throws -> Tensor {
    try wrap(ct_scatter(handle, Int64(dimension), indices.handle, source.handle), "scatter")
  }
  /// In reverse order along a dimension.
  public func flipped(_ dimension: Int) throws -> Tensor { try wrap(ct_flip(handle, Int64(dimension)), "flip") }
  /// Several tensors joined along a dimension.
  public static func concatenate(_ tensors: [Tensor], _ dimension: Int = 0) throws -> Tensor {
    try wrap(ct_cat(tensors.map(\.handle), tensors.count, Int64(dimension)), "cat")
  }
  /// Several tensors joined along a new dimension.
  public static func stack(_ tensors: [Tensor], _ dimension: Int = 0) throws -> Tensor {
    try wrap(ct_stack(tensors.map(\.handle), tensors.count, Int64(dimension)), "stack")
  }
}
