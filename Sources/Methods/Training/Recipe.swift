import Foundation
import ImageFiles
import Networks
import Support

/// How a network is trained, as data.
public struct Recipe: Codable, Sendable, Hashable {
  /// The rule that turns gradients into steps.
  public enum Optimizer: String, Codable, Sendable, Hashable, CaseIterable {
    /// Stochastic gradient descent with momentum.
    case sgd
    /// Adam, weight decay through the gradient.
    case adam
    /// Adam with decoupled weight decay.
    case adamw

    /// What nobody says is this: a rate of one kind of step is none of the other, by two orders of magnitude.
    public var usualLearningRate: Double { self == .sgd ? 0.1 : 0.001 }
  }

  /// How the learning rate falls.
  public enum Decay: String, Codable, Sendable, Hashable, CaseIterable {
    /// It stays.
    case constant
    /// By half a cosine.
    case cosine
    /// Along a line.
    case linear
    /// By a factor at some fractions of the run.
    case step
  }

  /// The type that convolutions and matrix products compute in.
  public enum Precision: String, Codable, Sendable, Hashable, CaseIterable {
    /// Single precision.
    case float32
    /// Brain floating point, with automatic casts.
    case bfloat16
    /// Half precision, with automatic casts and loss scaling.
    case float16
  }

  /// The recipe's name, for the record.
  public var name: String
  /// Passes over the training data.
  public var epochs: Int
  /// Images in one optimizer step.
  public var batchSize: Int
  /// The rule that turns gradients into steps.
  public var optimizer: Optimizer
  /// The highest learning rate, for this batch size.
  public var learningRate: Double
  /// The learning rate at the end of a cosine or linear decay.
  public var finalLearningRate: Double
  /// How the learning rate falls.
  public var decay: Decay
  /// Where a step decay acts, as fractions of the run.
  public var decayAt: [Double]
  /// By how much a step decay acts.
  public var decayFactor: Double
  /// Epochs of linear warm-up from `warmUpFrom`.
  public var warmUpEpochs: Double
  /// The learning rate at the first step of the warm-up.
  public var warmUpFrom: Double
  /// Momentum of SGD.
  public var momentum: Double
  /// Whether momentum looks ahead.
  public var nesterov: Bool
  /// Weight decay of convolution and linear weights.
  public var weightDecay: Double
  /// Weight decay of batch-norm scales and shifts and of biases.
  public var normWeightDecay: Double
  /// Probability mass that label smoothing spreads over all classes.
  public var labelSmoothing: Double
  /// How training images are cut out and mirrored at random.
  public var augmentation: Augmentation
  /// How their colours are varied at random.
  public var color: ColorTransforms
  /// How the images of a training batch are mixed.
  public var mixing: Mixing
  /// The type that convolutions and matrix products compute in.
  public var precision: Precision
  /// The largest norm of a step's gradients, all parameters together; larger ones are scaled down to it. nil for any.
  public var clipNorm: Double?
  /// Decay of an exponential moving average of the weights, which is then what is evaluated and saved; nil for none.
  public var averagingDecay: Double?
  /// Epochs between evaluations on the held-out data; the last epoch is always evaluated.
  public var evaluationInterval: Int
  /// Batches that recompute the batch-norm statistics before the last evaluation; 0 keeps the running ones.
  public var recalibrationBatches: Int
  /// Whether most activations are computed again for the derivative instead of kept. The outcome does not depend on it, and it is not
  /// part of what a recipe's file holds.
  public var recomputesActivations = false

  /// Creates a recipe; the defaults are the small-scale settings of the project.
  public init(
    name: String = "small", epochs: Int = 30, batchSize: Int = 128, optimizer: Optimizer = .sgd,
    learningRate: Double = 0.1, finalLearningRate: Double = 0, decay: Decay = .cosine, decayAt: [Double] = [0.5, 0.75],
    decayFactor: Double = 0.1, warmUpEpochs: Double = 1, warmUpFrom: Double = 0, momentum: Double = 0.9,
    nesterov: Bool = true, weightDecay: Double = 5e-4, normWeightDecay: Double = 0, labelSmoothing: Double = 0,
    augmentation: Augmentation = .padCropFlip(padding: 2, flip: true), color: ColorTransforms = .init(),
    mixing: Mixing = .init(), precision: Precision = .float32,
    clipNorm: Double? = nil, averagingDecay: Double? = nil, evaluationInterval: Int = 1, recalibrationBatches: Int = 0
  ) {
    self.name = name
    self.epochs = epochs
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.finalLearningRate = finalLearningRate
    self.decay = decay
    self.decayAt = decayAt
    self.decayFactor = decayFactor
    self.warmUpEpochs = warmUpEpochs
    self.warmUpFrom = warmUpFrom
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
    self.normWeightDecay = normWeightDecay
    self.labelSmoothing = labelSmoothing
    self.augmentation = augmentation
    self.color = color
    self.mixing = mixing
    self.precision = precision
    self.clipNorm = clipNorm
    self.averagingDecay = averagingDecay
    self.evaluationInterval = evaluationInterval
    self.recalibrationBatches = recalibrationBatches
  }

  /// Makes sure that every value makes sense.
  ///
  /// - Throws: `UsageFailure` that names the first value which does not.
  public func validate() throws {
    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
      if !condition { throw UsageFailure("recipe \(name): \(what())") }
    }
    func require(_ check: () throws -> Void) throws {
      do {
        try check()
      } catch let failure as UsageFailure {
        throw UsageFailure("recipe \(name): \(failure.message)")
      }
    }
    let largest = 1_000_000
    try require(augmentation.validate)
    try require(color.validate)
    try require(mixing.validate)
    try require((1...largest).contains(epochs), "epochs is \(epochs), it must be from 1 to \(largest)")
    try require((1...largest).contains(batchSize), "batchSize is \(batchSize), it must be from 1 to \(largest)")
    try require(
      learningRate > 0 && learningRate.isFinite, "learningRate is \(learningRate), it must be a positive number")
    try require(
      finalLearningRate >= 0 && finalLearningRate.isFinite,
      "finalLearningRate is \(finalLearningRate), it must be a number that is not negative")
    try require(
      warmUpEpochs >= 0 && warmUpEpochs <= Double(largest),
      "warmUpEpochs is \(warmUpEpochs), it must be from 0 to \(largest)")
    try require(
      warmUpFrom >= 0 && warmUpFrom.isFinite, "warmUpFrom is \(warmUpFrom), it must be a number that is not negative")
    try require(
      decayAt.allSatisfy { (0...1).contains($0) }, "decayAt is \(decayAt), fractions of the run are from 0 to 1")
    try require(
      decayFactor > 0 && decayFactor.isFinite, "decayFactor is \(decayFactor), it must be a positive number")
    try require((0..<1).contains(momentum), "momentum is \(momentum), it must be from 0 up to 1")
    try require(
      weightDecay >= 0 && normWeightDecay >= 0 && weightDecay.isFinite && normWeightDecay.isFinite,
      "weight decay must be a number that is not negative")
    try require((0..<1).contains(labelSmoothing), "labelSmoothing is \(labelSmoothing), it must be from 0 up to 1")
    try require(
      clipNorm.map { $0 > 0 && $0.isFinite } ?? true, "clipNorm is \(clipNorm ?? 0), it must be a positive number")
    try require(averagingDecay.map { (0..<1).contains($0) } ?? true, "averagingDecay must be from 0 up to 1")
    try require(evaluationInterval >= 1, "evaluationInterval is \(evaluationInterval), it must be at least 1")
    try require(recalibrationBatches >= 0, "recalibrationBatches must not be negative")
  }

  /// The learning-rate schedule for a number of steps an epoch.
  public func schedule(stepsPerEpoch: Int) -> Schedule {
    let total = epochs * stepsPerEpoch
    // Never all of the run: a run of one epoch would otherwise end in its warm-up.
    let warmUp = min(Int((warmUpEpochs * Double(stepsPerEpoch)).rounded()), total / 4)
    let shape: Schedule.Shape =
      switch decay {
      case .constant: .constant
      case .cosine: .cosine
      case .linear: .linear
      case .step: .step(at: decayAt, factor: decayFactor)
      }
    return Schedule(
      peak: learningRate, initial: warmUpFrom, final: finalLearningRate, shape: shape, warmUpSteps: warmUp,
      totalSteps: total)
  }
}
