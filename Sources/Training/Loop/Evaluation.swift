import ImageFiles
import Loading
import Methods
import Support
import Torch

/// Accuracy and loss of a model on held-out data.
public struct Evaluation: Sendable, Equatable {
  /// Mean cross-entropy, without label smoothing.
  public var loss: Double
  /// Top-1 accuracy in percent.
  public var top1: Double
  /// Top-5 accuracy in percent (top-k for fewer classes than 5).
  public var top5: Double
  /// Images evaluated.
  public var images: Int
  /// Images left out because they cannot be used.
  public var skipped: [SkippedImage] = []
}

extension Model {
  /// Evaluates the model on all batches of a loader.
  ///
  /// - Parameters:
  ///   - plan: A narrower network to run; nil for full width.
  ///   - statistics: Batch-norm statistics to use; nil for the model's own.
  ///   - cohort: Who evaluates along, each its share; the loader makes this process's.
  ///   - interruption: Asked before each batch for a signal that ends the evaluation.
  /// - Throws: `Interrupted` after a signal.
  public func evaluate(
    _ loader: BatchLoader, as plan: ExecutionPlan? = nil, statistics: BatchStatistics? = nil,
    precision: Recipe.Precision = .float32, cohort: Cohort = .single, interruption: () -> Int32? = { nil }
  ) throws -> Evaluation {
    guard !loader.indices.isEmpty else {
      throw UsageFailure("\(loader.source.name) has no held-out images to evaluate on")
    }
    return try withoutGradients {
      let lossSum = try Tensor.zeros([], .float64, device: device)
      let hits1 = try Tensor.zeros([], .int64, device: device)
      let hits5 = try Tensor.zeros([], .int64, device: device)
      var images = 0
      var skipped: [SkippedImage] = []
      let stream = loader.epoch(0)
      var options = ForwardOptions(.evaluation, statistics: statistics)
      // Folded weights lose more than others when they are rounded to half precision.
      if precision == .float32 { options.folded = ForwardOptions.FoldedWeights() }
      var asked = 0
      while let batch = try stream.next() {
        // Several processes ask less often, since their answer takes messages.
        defer { asked += 1 }
        if cohort.isSingle || asked % 8 == 0, let signal = try cohort.agree(interruption()) {
          throw Interrupted(signal: signal, saved: nil)
        }
        skipped += batch.skipped
        if batch.count == 0 { continue }
        let logits = try withAutocast(precision.scalarType, on: device) {
          try forward(batch.images, as: plan, options)
        }.to(.float32)
        try lossSum.add(inPlace: logits.crossEntropy(batch.labels, summed: true).to(.float64))
        let best = try logits.topIndices(min(5, logits.shape[1]), 1)
        let matches = try best.equal(batch.labels.unsqueezed(1))
        try hits1.add(inPlace: matches.slice(1, 0..<1).sum())
        try hits5.add(inPlace: matches.sum())
        images += batch.count
      }
      let sums = try cohort.sum([lossSum.item(), hits1.item(), hits5.item(), Double(images)])
      images = Int(sums[3])
      guard images > 0 else {
        throw FileFailure(
          .badData, path: skipped.first?.file ?? loader.source.name,
          reason: "none of the \(skipped.count) held-out images can be used")
      }
      return Evaluation(
        loss: sums[0] / Double(images), top1: sums[1] * 100 / Double(images), top5: sums[2] * 100 / Double(images),
        images: images,
        skipped: skipped)
    }
  }

  /// Recomputes batch-norm statistics as the mean over some training batches, with the weights frozen.
  ///
  /// Of several processes' shares, the mean of all.
  ///
  /// "Post-statistics" of Yu & Huang, "Universally Slimmable Networks" (2019): the cumulative mean, not the last batch.
  public func recalibrate(
    _ statistics: BatchStatistics? = nil, as plan: ExecutionPlan? = nil, batches: Int, of loader: BatchLoader,
    precision: Recipe.Precision = .float32, cohort: Cohort = .single
  ) throws {
    let target = statistics ?? self.statistics
    try target.reset()
    try withoutGradients {
      let stream = loader.epoch(0)
      for _ in 0..<batches {
        guard let batch = try stream.next() else { break }
        _ = try withAutocast(precision.scalarType, on: device) {
          try forward(
            batch.images, as: plan, cohort.options(ForwardOptions(.recalibration, statistics: target), for: batch))
        }
      }
      // Those of synchronized normalizations are equal already.
      if !cohort.synchronizesNorms { try cohort.average(target) }
    }
  }
}

extension Recipe.Precision {
  /// The type to cast to, or nil when nothing is cast.
  public var scalarType: ScalarType? {
    switch self {
    case .float32: nil
    case .bfloat16: .bfloat16
    case .float16: .float16
    }
  }
}
