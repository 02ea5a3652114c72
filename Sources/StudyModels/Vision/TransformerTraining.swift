import Diagnosis
import Foundation
import ImageFiles
import Loading
import Support
import Torch
import Training

/// A training of a vision transformer: Adam, a cosine to 0, crops and flips.
public final class TransformerTraining: StudyTraining {
  /// Passes over the images.
  public let epochs: Int
  /// What makes the steps.
  public let optimizer: Adam

  private let settings: TransformerSettings
  private let seed: Int
  private let model: VisionTransformer
  private let training: BatchLoader
  private let heldOut: BatchLoader
  private let dropout: Generator

  /// Prepares a training.
  ///
  /// - Parameters:
  ///   - hidden: Hidden features of the MLPs.
  ///   - part: The class-balanced part of the training images to use, 0 to 1.
  /// - Throws: `UsageFailure` for images that do not fit or are fewer than one batch.
  public init(
    _ dataset: Dataset, part: Double = 1, hidden: Int, settings: TransformerSettings, epochs: Int, seed: Int,
    loaderThreads: Int = 1
  ) throws {
    self.epochs = epochs
    self.settings = settings
    self.seed = seed
    let indices = part < 1 ? dataset.training.classBalancedIndices(fraction: part, seed: 0) : nil
    let count = indices?.count ?? dataset.training.count
    guard count >= settings.batchSize else {
      throw UsageFailure("there are \(count) training images, fewer than one batch of \(settings.batchSize)")
    }
    model = try VisionTransformer(
      channels: dataset.channels, side: dataset.resolution, classes: dataset.classNames.count, hidden: hidden,
      settings: settings, seed: seed)
    optimizer = try Adam(model.parameters.map(\.tensor), weightDecays: model.parameters.map { _ in 0 })
    training = try BatchLoader(
      source: dataset.training, indices: indices, batchSize: settings.batchSize, resolution: dataset.resolution,
      normalization: dataset.normalization,
      augmentation: .padCropFlip(padding: max(1, dataset.resolution / 8), flip: true),
      seed: UInt64(bitPattern: Int64(seed)), shuffles: true, dropsLast: true, onBadImage: dataset.onBadImage,
      channelsLast: false, threads: loaderThreads)
    heldOut = try dataset.heldOutLoader(batchSize: 256, channelsLast: false, threads: loaderThreads)
    dropout = try Generator(seed: 0)
  }

  /// The learnable tensors by name.
  public var parameters: [(name: String, tensor: Tensor)] { model.parameters }

  /// The MLPs of the blocks, the source's fifth first.
  public var groups: [ChannelGroup] {
    let all = model.channelGroups
    let shown = min(4, all.count - 1)
    return [all[shown]] + all.indices.filter { $0 != shown }.map { all[$0] }
  }

  /// Looks at all images once.
  public func train(epoch: Int, check: () throws -> Void) throws -> (loss: Double, learningRate: Double) {
    var seeds = SeededGenerator(seed: seed, .dropout, at: epoch)
    let stream = training.epoch(epoch)
    let steps = training.batchesPerEpoch
    var (sum, count, rate) = (0.0, 0, settings.learningRate)
    while let batch = try stream.next() {
      try check()
      try dropout.seed(seeds.next())
      let done = Double(epoch * steps + count) / Double(epochs * steps)
      rate = settings.learningRate * 0.5 * (1 + cos(.pi * done))
      let loss = try batch.crossEntropy(model.forward(batch.images, dropout: dropout))
      try step(loss, learningRate: rate)
      sum += try loss.item()
      count += 1
    }
    return (sum / Double(max(count, 1)), rate)
  }

  /// The accuracy on held-out images, in percent.
  public func score(check: () throws -> Void) throws -> Double {
    try withoutGradients {
      var (right, count) = (0.0, 0)
      let stream = heldOut.epoch(0)
      while let batch = try stream.next() {
        try check()
        if batch.count == 0 { continue }
        right += try model.forward(batch.images, dropout: nil).argmax(1).equal(batch.labels).sum().item()
        count += batch.count
      }
      return 100 * right / Double(max(count, 1))
    }
  }
}
