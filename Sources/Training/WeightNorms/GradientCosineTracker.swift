import Diagnosis
import Loading
import Networks
import Records
import Torch

/// Compares the gradients of each layer's channels with each other, on one fixed batch, after some epochs of a training: section 9.5 of the
/// specification's diagnosis, which the source's stage 1 is about.
public struct GradientCosineTracker: TrainingObserver {
  private let folder: WeightNormFolder
  private let epochs: Int
  private let labelSmoothing: Double
  private let batch: () throws -> Batch?

  /// Prepares to follow a training of so many epochs.
  ///
  /// - Parameter batch: The images, the same ones each time; nil when none of them can be read.
  public init(
    epochs: Int, labelSmoothing: Double, in folder: WeightNormFolder, batch: @escaping () throws -> Batch?
  ) {
    self.folder = folder
    self.epochs = epochs
    self.labelSmoothing = labelSmoothing
    self.batch = batch
  }

  /// The images to take: 512, as the source's probe has them; of large ones as many as have the pixels of 512 images of 64 px, and at most four
  /// times those of a step, which the device is known to hold one of.
  public static func images(resolution: Int, batchSize: Int) -> Int {
    max(2, min(512, 4 * batchSize, max(8, 512 * 64 * 64 / (resolution * resolution))))
  }

  /// Takes the record before training, or drops those of epochs that will be trained again.
  public func begin(_ model: Model, afterEpochs ended: Int, isNew: Bool) throws {
    if isNew {
      try folder.write([] as [GradientCosines])
      try observe(model, epoch: 0)
    } else {
      try folder.write(((try? folder.gradientCosines()) ?? []).filter { $0.epoch <= ended })
    }
  }

  /// Takes the record of an epoch: of each of the first ten, of every tenth, and of the last.
  public func endEpoch(_ model: Model, endedEpochs: Int, learningRate: Double) throws {
    guard WeightNormTracker.keepsSnapshot(of: endedEpochs, last: epochs) else { return }
    try observe(model, epoch: endedEpochs)
  }

  private func observe(_ model: Model, epoch: Int) throws {
    guard let batch = try batch() else { return }
    let layers = model.plan.resolved.channelGroups.compactMap { group in
      group.slices.first { $0.side == .incoming && !$0.isProjection }.map { (group: group, slice: $0) }
    }
    // With the batch's own statistics, as in a step, and without a trace in the running ones.
    let loss = try batch.crossEntropy(
      try model.forward(batch.images, .init(.batch)).to(.float32), labelSmoothing: labelSmoothing)
    let gradients = try loss.gradients(of: try layers.map { try model.tensor(named: $0.slice.tensor) })
    let records = try withoutGradients {
      try zip(layers, gradients).compactMap { layer, gradient -> GradientCosines.Layer? in
        guard let gradient,
          let cosines = FilterCosines(
            rows: try layer.slice.rows(of: gradient, width: layer.group.width).to(.cpu).array(Float.self),
            count: layer.group.width)
        else { return nil }
        return .init(group: layer.group.id, mean: cosines.mean, ofRandom: cosines.ofRandom)
      }
    }
    let before = ((try? folder.gradientCosines()) ?? []).filter { $0.epoch < epoch }
    try folder.write(before + [GradientCosines(epoch: epoch, layers: records)])
  }
}
