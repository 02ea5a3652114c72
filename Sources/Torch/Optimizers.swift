import CTorch

/// Stochastic gradient descent with momentum, as `torch.optim.SGD`, over all parameters in one call.
public final class SGD {
  private let parameters: [Tensor]
  private let handles: [ct_tensor]
  private let weightDecays: [Double]
  private let momentumHandles: [ct_tensor]
  /// Momentum buffers, in the parameters' order and layout; part of a checkpoint.
  public let momenta: [Tensor]
  /// Momentum factor.
  public let momentum: Double
  /// Whether the step looks ahead along the momentum.
  public let isNesterov: Bool

  /// Creates the optimizer with zero momenta; `weightDecays` holds one value a parameter.
  public init(_ parameters: [Tensor], weightDecays: [Double], momentum: Double = 0.9, isNesterov: Bool = false) throws {
    precondition(parameters.count == weightDecays.count, "one weight decay a parameter")
    self.parameters = parameters
    self.weightDecays = weightDecays
    self.momentum = momentum
    self.isNesterov = isNesterov
    momenta = try parameters.map { try $0.detached().zerosLike() }
    handles = parameters.map(\.handle)
    momentumHandles = momenta.map(\.handle)
  }

  /// Makes one step from the accumulated gradients; parameters without a gradient stay as they are.
  public func step(learningRate: Double, scaler: GradientScaler? = nil) throws {
    try check(
      ct_sgd_step(
        handles, momentumHandles, weightDecays, handles.count, learningRate, momentum, isNesterov && momentum > 0,
        scaler?.scale.handle, scaler?.foundInfinite.handle), "SGD step")
  }
}

/// Adam or AdamW, as `torch.optim`, over all parameters in one call.
public final class Adam {
  private let parameters: [Tensor]
  private let weightDecays: [Double]
  /// Running means of the gradients; part of a checkpoint.
  public let firstMoments: [Tensor]
  /// Running means of the squared gradients; part of a checkpoint.
  public let secondMoments: [Tensor]
  /// Steps made, one scalar a parameter; part of a checkpoint.
  public let steps: [Tensor]
  /// Decay rates of the two running means.
  public let betas: (Double, Double)
  /// Added to the denominator.
  public let epsilon: Double
  /// Whether weight decay acts on the weights directly (AdamW) instead of through the gradient (Adam).
  public let isDecoupled: Bool

  /// Creates the optimizer with zero moments; `weightDecays` holds one value a parameter.
  public init(
    _ parameters: [Tensor], weightDecays: [Double], betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8,
    isDecoupled: Bool = false
  ) throws {
    precondition(parameters.count == weightDecays.count, "one weight decay a parameter")
    self.parameters = parameters
    self.weightDecays = weightDecays
    self.betas = betas
    self.epsilon = epsilon
    self.isDecoupled = isDecoupled
    firstMoments = try parameters.map { try $0.detached().zerosLike() }
    secondMoments = try parameters.map { try $0.detached().zerosLike() }
    steps = try parameters.map { try Tensor.zeros([], device: $0.device) }
  }

  /// Makes one step from the accumulated gradients; parameters without a gradient stay as they are.
  public func step(learningRate: Double, scaler: GradientScaler? = nil) throws {
    try check(
      ct_adam_step(
        parameters.map(\.handle), firstMoments.map(\.handle), secondMoments.map(\.handle), steps.map(\.handle),
        weightDecays, parameters.count, learningRate, betas.0, betas.1, epsilon, isDecoupled, scaler?.scale.handle,
        scaler?.foundInfinite.handle), "Adam step")
  }
}

/// Loss scaling for half precision, as `torch.amp.GradScaler`: steps with overflowing gradients are left out and the
/// scale is halved; after many good steps it is doubled. Nothing is read back from the device.
public final class GradientScaler {
  /// The factor on the loss; part of a checkpoint.
  public let scale: Tensor
  /// Good steps since the scale last changed; part of a checkpoint.
  public let growthTracker: Tensor
  let foundInfinite: Tensor

  /// Creates a scaler.
  public init(initialScale: Double = 65536, device: Device) throws {
    scale = try Tensor.full([], initialScale, device: device)
    growthTracker = try Tensor.zeros([], .int32, device: device)
    foundInfinite = try Tensor.zeros([], device: device)
  }

  /// The loss times the scale.
  public func scaled(_ loss: Tensor) throws -> Tensor { try loss * scale }

  /// Looks for overflow in the gradients; call before the optimizer's step.
  public func checkGradients(_ parameters: [Tensor]) throws {
    try check(
      ct_check_gradients(parameters.map(\.handle), parameters.count, scale.handle, foundInfinite.handle),
      "check gradients")
  }

  /// Adapts the scale; call after the optimizer's step.
  public func update() throws {
    try check(
      ct_update_scale(scale.handle, growthTracker.handle, foundInfinite.handle, 2, 0.5, 2000), "update scale")
  }
}

/// Scales the gradients of all parameters by one factor so that their norm, taken as one vector, is at most `norm`.
///
/// As `torch.nn.utils.clip_grad_norm_`; nothing is read from the device.
///
/// - Parameter scaler: What scaled the loss, so that the gradients are larger by its factor.
public func clipGradients(of parameters: [Tensor], norm: Double, scaler: GradientScaler? = nil) throws {
  try check(
    ct_clip_gradients(parameters.map(\.handle), parameters.count, norm, scaler?.scale.handle), "clip gradients")
}

/// Moves `averages` towards `values`: average ← decay · average + (1 − decay) · value, all in one call.
public func updateAverages(_ averages: [Tensor], towards values: [Tensor], decay: Double) throws {
  try check(
    ct_average_step(averages.map(\.handle), values.map(\.handle), averages.count, decay), "update averages")
}
