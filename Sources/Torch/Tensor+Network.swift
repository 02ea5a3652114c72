import CTorch

/// A pair of sizes along height and width.
public struct Size2D: Sendable, Hashable {
  /// Along the height.
  public var height: Int
  /// Along the width.
  public var width: Int

  /// Creates a pair.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// Creates a pair of equal sizes.
  public init(_ both: Int) { self.init(both, both) }

  var int64: [Int64] { [Int64(height), Int64(width)] }
}

// Functional operations; images are [batch, channels, height, width].
extension Tensor {
  /// Two-dimensional convolution with a weight [out, in / groups, kernel height, kernel width].
  public func conv2d(
    _ weight: Tensor, bias: Tensor? = nil, stride: Size2D = .init(1), padding: Size2D = .init(0),
    dilation: Size2D = .init(1), groups: Int = 1
  ) throws -> Tensor {
    try wrap(
      ct_conv2d(
        handle, weight.handle, bias?.handle, stride.int64, padding.int64, dilation.int64, Int64(groups)), "conv2d")
  }

  /// Batch normalization over all dimensions but the second.
  ///
  /// In training the batch's own statistics are used, and `runningMean` and `runningVariance`, when given, are moved
  /// towards them by `momentum`; otherwise those running statistics are used.
  public func batchNorm(
    weight: Tensor?, bias: Tensor?, runningMean: Tensor?, runningVariance: Tensor?, training: Bool,
    momentum: Double = 0.1, epsilon: Double = 1e-5
  ) throws -> Tensor {
    try wrap(
      ct_batch_norm(
        handle, weight?.handle, bias?.handle, runningMean?.handle, runningVariance?.handle, training, momentum, epsilon),
      "batch_norm")
  }

  /// What follows a batch normalization that is computed together with it.
  public enum FusedActivation: Int32, Sendable, Hashable {
    case none = 0
    case relu = 1
    case relu6 = 2
    case hardSwish = 3
    case silu = 4

    /// Whether the derivative needs what went into the activation, and not only its result: nothing can then be added before it.
    public var needsInput: Bool { self == .hardSwish || self == .silu }
  }

  /// Batch normalization by the batch's own statistics, plus `residual`, through an activation, in the fewest passes over memory.
  ///
  /// The same function as ``batchNorm(weight:bias:runningMean:runningVariance:training:momentum:epsilon:)`` in training, an addition
  /// and the activation, within rounding. On the CPU in single precision statistics are one pass over the input, the result is one more,
  /// and the derivative two; elsewhere it is computed operation by operation. The input and the result must stay as they are until the
  /// derivative was taken.
  public func fusedBatchNorm(
    weight: Tensor, bias: Tensor, adding residual: Tensor? = nil, runningMean: Tensor?, runningVariance: Tensor?,
    momentum: Double = 0.1, epsilon: Double = 1e-5, activation: FusedActivation
  ) throws -> Tensor {
    try wrap(
      ct_fused_norm(
        handle, weight.handle, bias.handle, residual?.handle, runningMean?.handle, runningVariance?.handle, momentum,
        epsilon, activation.rawValue), "fused batch_norm")
  }

  /// Product with a weight [out, in], plus a bias.
  public func linear(_ weight: Tensor, bias: Tensor? = nil) throws -> Tensor {
    try wrap(ct_linear(handle, weight.handle, bias?.handle), "linear")
  }

  /// Normalization over the last dimensions, those of the weight.
  public func layerNorm(_ weight: Tensor, _ bias: Tensor?, epsilon: Double = 1e-5) throws -> Tensor {
    try wrap(ct_layer_norm(handle, weight.handle, bias?.handle, epsilon), "layer_norm")
  }

  /// Normalization over groups of channels of each image, with a factor and a shift for each channel.
  public func groupNorm(_ groups: Int, _ weight: Tensor, _ bias: Tensor?, epsilon: Double = 1e-5) throws -> Tensor {
    try wrap(ct_group_norm(handle, Int64(groups), weight.handle, bias?.handle, epsilon), "group_norm")
  }

  /// A map of another size, by the nearest place or by interpolation between places.
  public func upsampled(_ size: Size2D, bilinear: Bool) throws -> Tensor {
    try wrap(ct_upsample(handle, size.int64, bilinear), "upsample")
  }

  /// Zeros around the last dimensions: two numbers for each, from the last one on.
  ///
  /// - Parameter value: What stands there instead of 0.
  public func padded(_ sides: [Int], with value: Double = 0) throws -> Tensor {
    try wrap(ct_pad(handle, sides.int64, Int32(sides.count), value), "pad")
  }

  /// Rows and columns mirrored at the border of a map: so many to the left, to the right, above and below.
  public func reflected(_ sides: [Int]) throws -> Tensor {
    try wrap(ct_reflection_pad(handle, sides.int64, Int32(sides.count)), "reflection_pad2d")
  }

  /// softmax(QKᵀ/√d)·V with this tensor as Q, all `[…, positions, d]`.
  public func attention(_ key: Tensor, _ value: Tensor) throws -> Tensor {
    try wrap(ct_attention(handle, key.handle, value.handle), "scaled_dot_product_attention")
  }

  /// One layer of gated recurrent units (Cho et al. 2014) over a sequence `[length, batch, features]`.
  ///
  /// - Parameters:
  ///   - hidden: The state before, `[1, batch, hidden]`.
  ///   - weights: On inputs and on states, `[3·hidden, …]`, in the order r, z, n.
  ///   - biases: Likewise, `[3·hidden]`.
  /// - Returns: The states of all steps, `[length, batch, hidden]`.
  public func gatedRecurrence(
    from hidden: Tensor, weights: (input: Tensor, hidden: Tensor), biases: (input: Tensor, hidden: Tensor)
  ) throws -> Tensor {
    try wrap(
      ct_gru(
        handle, hidden.handle, weights.input.handle, weights.hidden.handle, biases.input.handle, biases.hidden.handle),
      "gru")
  }

  /// max(x, 0); in place it overwrites its input, which must not be needed for anything else.
  public func relu(inPlace: Bool = false) throws -> Tensor {
    try wrap(inPlace ? ct_relu_(handle) : ct_relu(handle), "relu")
  }
  /// min(max(x, 0), 6).
  public func relu6(inPlace: Bool = false) throws -> Tensor {
    try wrap(inPlace ? ct_hardtanh_(handle, 0, 6) : ct_hardtanh(handle, 0, 6), "relu6")
  }
  /// x · sigmoid(x).
  public func silu(inPlace: Bool = false) throws -> Tensor {
    try wrap(inPlace ? ct_silu_(handle) : ct_silu(handle), "silu")
  }
  /// `x · min(max(0, x + 3), 6) / 6`.
  public func hardSwish() throws -> Tensor { try wrap(ct_hardswish(handle), "hardswish") }

  /// `min(max(0, x + 3), 6) / 6`.
  public func hardSigmoid() throws -> Tensor { try wrap(ct_hardsigmoid(handle), "hardsigmoid") }

  /// `x` where it is positive, `0.01 · x` elsewhere.
  public func leakyRelu(slope: Double = 0.01) throws -> Tensor { try wrap(ct_leaky_relu(handle, slope), "leaky_relu") }

  /// `x · Φ(x)` with the normal distribution's Φ, not its approximation by tanh.
  public func gelu() throws -> Tensor { try wrap(ct_gelu(handle), "gelu") }

  /// GELU's approximation by tanh.
  public func geluTanh() throws -> Tensor { try wrap(ct_gelu_tanh(handle), "gelu") }

  /// The hyperbolic tangent.
  public func tanh() throws -> Tensor { try wrap(ct_tanh(handle), "tanh") }

  /// `x` where it is positive, `alpha · (eˣ − 1)` elsewhere.
  public func elu(alpha: Double) throws -> Tensor { try wrap(ct_elu(handle, alpha), "elu") }

  /// `max(0, x) + min(0, alpha · (e^(x / alpha) − 1))`.
  public func celu(alpha: Double) throws -> Tensor { try wrap(ct_celu(handle, alpha), "celu") }

  /// ELU with the factors that keep mean 0 and variance 1.
  public func selu() throws -> Tensor { try wrap(ct_selu(handle), "selu") }

  /// `log(1 + eˣ)`.
  public func softplus() throws -> Tensor { try wrap(ct_softplus(handle), "softplus") }

  /// `x / (1 + |x|)`.
  public func softsign() throws -> Tensor { try wrap(ct_softsign(handle), "softsign") }

  /// `x` where it is positive, a share of it elsewhere: one for each entry of dimension 1, or one for all.
  public func prelu(_ slopes: Tensor) throws -> Tensor { try wrap(ct_prelu(handle, slopes.handle), "prelu") }

  /// 1 / (1 + e⁻ˣ).
  public func sigmoid() throws -> Tensor { try wrap(ct_sigmoid(handle), "sigmoid") }

  /// The largest element of each window.
  public func maxPool2d(kernel: Size2D, stride: Size2D, padding: Size2D = .init(0), ceilMode: Bool = false) throws
    -> Tensor
  {
    try wrap(ct_max_pool2d(handle, kernel.int64, stride.int64, padding.int64, ceilMode), "max_pool2d")
  }
  /// The mean of each window.
  public func averagePool2d(
    kernel: Size2D, stride: Size2D, padding: Size2D = .init(0), ceilMode: Bool = false, countsPadding: Bool = true
  ) throws -> Tensor {
    try wrap(
      ct_avg_pool2d(handle, kernel.int64, stride.int64, padding.int64, ceilMode, countsPadding), "avg_pool2d")
  }
  /// Means over windows chosen so that the result has the given size.
  public func adaptiveAveragePool2d(_ size: Size2D) throws -> Tensor {
    try wrap(ct_adaptive_avg_pool2d(handle, Int64(size.height), Int64(size.width)), "adaptive_avg_pool2d")
  }
  /// Sets elements (or, with `perSample`, whole samples) to zero with a probability and scales up the others.
  ///
  /// - Parameter place: Which samples of a batch these are; nil for all. What becomes of a sample does not depend on who holds it.
  public func dropout(
    _ probability: Double, perSample: Bool = false, place: BatchPlace? = nil, generator: Generator
  ) throws -> Tensor {
    let place = place ?? BatchPlace(first: 0, whole: shape.first ?? 1)
    return try wrap(
      ct_dropout(handle, probability, perSample, Int64(place.first), Int64(place.whole), generator.handle), "dropout")
  }
  /// Batch normalization with the statistics of all processes' samples, [samples, channels, …].
  ///
  /// Ioffe & Szegedy (2015), as PyTorch's `SyncBatchNorm`. The gradients of `weight` and `bias` are this process's share.
  public func synchronizedBatchNorm(
    weight: Tensor, bias: Tensor, runningMean: Tensor?, runningVariance: Tensor?, momentum: Double, epsilon: Double,
    group: ProcessGroup
  ) throws -> Tensor {
    guard
      let handle = ct_synchronized_norm(
        handle, weight.handle, bias.handle, runningMean?.handle, runningVariance?.handle, momentum, epsilon,
        group.handle)
    else { throw GroupFailure.last("normalizing a batch", group) ?? TorchError.last("synchronized batch norm") }
    return Tensor(owning: handle)
  }
  /// Resizes images; with `antialias`, as Pillow and torchvision do when they shrink.
  public func resizedBilinear(height: Int, width: Int, antialias: Bool = true) throws -> Tensor {
    try wrap(ct_resize_bilinear(handle, Int64(height), Int64(width), antialias), "resize")
  }
}

// Losses over logits [batch, classes].
extension Tensor {
  /// Exponentials that sum to one along a dimension.
  public func softmax(_ dimension: Int = -1) throws -> Tensor {
    try wrap(ct_softmax(handle, Int64(dimension)), "softmax")
  }
  /// Logarithm of ``softmax(_:)``, computed stably.
  public func logSoftmax(_ dimension: Int = -1) throws -> Tensor {
    try wrap(ct_log_softmax(handle, Int64(dimension)), "log_softmax")
  }
  /// Cross-entropy with class indices [batch] (int64) or probabilities [batch, classes], the mean over the batch.
  ///
  /// With label smoothing ε the target is 1 − ε + ε/K for the true class and ε/K for the others.
  public func crossEntropy(_ target: Tensor, labelSmoothing: Double = 0, summed: Bool = false) throws -> Tensor {
    try wrap(ct_cross_entropy(handle, target.handle, labelSmoothing, summed), "cross_entropy")
  }
  /// Mean over the batch of KL(target ‖ softmax(self)), at temperature 1; `target` holds probabilities.
  public func klDivergence(from target: Tensor) throws -> Tensor {
    try wrap(ct_kl_divergence(handle, target.handle), "kl_div")
  }
}
