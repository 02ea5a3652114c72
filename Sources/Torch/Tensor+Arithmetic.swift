import CTorch

extension Tensor {
  /// Elementwise sum, with broadcasting.
  public static func + (a: Tensor, b: Tensor) throws -> Tensor { try wrap(ct_add(a.handle, b.handle, 1), "add") }
  /// Elementwise difference, with broadcasting.
  public static func - (a: Tensor, b: Tensor) throws -> Tensor { try wrap(ct_add(a.handle, b.handle, -1), "sub") }
  /// Elementwise product, with broadcasting.
  public static func * (a: Tensor, b: Tensor) throws -> Tensor { try wrap(ct_mul(a.handle, b.handle), "mul") }
  /// Elementwise quotient, with broadcasting.
  public static func / (a: Tensor, b: Tensor) throws -> Tensor { try wrap(ct_div(a.handle, b.handle), "div") }
  /// Adds a number to every element.
  public static func + (a: Tensor, b: Double) throws -> Tensor { try wrap(ct_add_scalar(a.handle, b), "add") }
  /// Multiplies every element by a number.
  public static func * (a: Tensor, b: Double) throws -> Tensor { try wrap(ct_mul_scalar(a.handle, b), "mul") }

  /// Adds `factor * other` to this tensor's elements.
  public func add(inPlace other: Tensor, times factor: Double = 1) throws {
    try check(ct_add_(handle, other.handle, factor), "add_")
  }
  /// Multiplies this tensor's elements by those of `other`.
  public func multiply(inPlace other: Tensor) throws { try check(ct_mul_(handle, other.handle), "mul_") }
  /// Multiplies this tensor's elements by a number.
  public func multiply(inPlace factor: Double) throws { try check(ct_mul_scalar_(handle, factor), "mul_") }

  /// Matrix product.
  public func matmul(_ other: Tensor) throws -> Tensor { try wrap(ct_matmul(handle, other.handle), "matmul") }
  /// e to the power of each element.
  public func exp() throws -> Tensor { try wrap(ct_exp(handle), "exp") }
  /// Natural logarithm of each element.
  public func log() throws -> Tensor { try wrap(ct_log(handle), "log") }
  /// Absolute value of each element.
  public func abs() throws -> Tensor { try wrap(ct_abs(handle), "abs") }
  /// −1, 0 or 1 of every element.
  public func sign() throws -> Tensor { try wrap(ct_sign(handle), "sign") }
  /// Square root of each element.
  public func sqrt() throws -> Tensor { try wrap(ct_sqrt(handle), "sqrt") }
  /// The error function of each element.
  public func erf() throws -> Tensor { try wrap(ct_erf(handle), "erf") }
  /// One over each element.
  public func reciprocal() throws -> Tensor { try wrap(ct_reciprocal(handle), "reciprocal") }
  /// Each element to a power.
  public func power(_ exponent: Double) throws -> Tensor { try wrap(ct_pow_scalar(handle, exponent), "pow") }
  /// The smaller of two elements, with broadcasting.
  public func minimum(_ other: Tensor) throws -> Tensor { try wrap(ct_minimum(handle, other.handle), "minimum") }
  /// The largest element along dimensions, which stay with length 1.
  public func largest(_ dimensions: [Int]) throws -> Tensor {
    try wrap(ct_amax(handle, dimensions.int64, Int32(dimensions.count), true), "amax")
  }
  /// Repeated along dimensions of length 1, without a copy.
  public func expanded(to sizes: [Int]) throws -> Tensor {
    try wrap(ct_expand(handle, sizes.int64, Int32(sizes.count)), "expand")
  }
  /// Limits each element to a range.
  public func clamped(_ minimum: Double, _ maximum: Double) throws -> Tensor {
    try wrap(ct_clamp(handle, minimum, maximum), "clamp")
  }
  /// Running product along a dimension.
  public func cumulativeProduct(_ dimension: Int) throws -> Tensor {
    try wrap(ct_cumprod(handle, Int64(dimension)), "cumprod")
  }
  /// Whether each element is larger than a number, as booleans.
  public func isGreater(than number: Double) throws -> Tensor { try wrap(ct_gt_scalar(handle, number), "gt") }
  /// Whether each element is smaller than that of `other`, as booleans.
  public func isLess(than other: Tensor) throws -> Tensor { try wrap(ct_lt(handle, other.handle), "lt") }
  /// The larger of two elements, with broadcasting.
  public func maximum(_ other: Tensor) throws -> Tensor { try wrap(ct_maximum(handle, other.handle), "maximum") }
  /// Of booleans: the element of `first` where they are true, that of `second` elsewhere.
  public func selecting(_ first: Tensor, else second: Tensor) throws -> Tensor {
    try wrap(ct_where(handle, first.handle, second.handle), "where")
  }
  /// Elementwise equality, as booleans.
  public func equal(_ other: Tensor) throws -> Tensor { try wrap(ct_eq(handle, other.handle), "eq") }
  /// Whether each element is neither infinite nor NaN.
  public func isFinite() throws -> Tensor { try wrap(ct_isfinite(handle), "isfinite") }
  /// Whether all elements are true.
  public func all() throws -> Tensor { try wrap(ct_all(handle), "all") }
  /// Sum over the given dimensions, or over all.
  public func sum(_ dimensions: [Int] = [], keepingDimensions: Bool = false) throws -> Tensor {
    try wrap(ct_sum(handle, dimensions.int64, Int32(dimensions.count), keepingDimensions), "sum")
  }
  /// Euclidean norm over the given dimensions; its derivative where all are zero is zero.
  public func norm(_ dimensions: [Int], keepingDimensions: Bool = false) throws -> Tensor {
    try wrap(ct_norm(handle, dimensions.int64, Int32(dimensions.count), keepingDimensions), "norm")
  }
  /// Mean over the given dimensions, or over all.
  public func mean(_ dimensions: [Int] = [], keepingDimensions: Bool = false) throws -> Tensor {
    try wrap(ct_mean(handle, dimensions.int64, Int32(dimensions.count), keepingDimensions), "mean")
  }
  /// Variance over the given dimensions.
  public func variance(_ dimensions: [Int], unbiased: Bool) throws -> Tensor {
    try wrap(ct_var(handle, dimensions.int64, Int32(dimensions.count), unbiased), "var")
  }
  /// The largest element.
  public func max() throws -> Tensor { try wrap(ct_max(handle), "max") }
  /// The index of the largest element along a dimension.
  public func argmax(_ dimension: Int) throws -> Tensor { try wrap(ct_argmax(handle, Int64(dimension)), "argmax") }
  /// The indices that sort the elements along a dimension; equal elements keep their order.
  public func sortingIndices(_ dimension: Int, descending: Bool = false) throws -> Tensor {
    try wrap(ct_argsort(handle, Int64(dimension), descending), "sort")
  }
  /// The indices of the `k` largest elements along a dimension, largest first.
  public func topIndices(_ k: Int, _ dimension: Int) throws -> Tensor {
    try wrap(ct_topk_indices(handle, Int64(k), Int64(dimension)), "topk")
  }
}
