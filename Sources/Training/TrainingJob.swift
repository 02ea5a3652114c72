import Foundation
import ImageFiles
import Interchange
import Loading
import Methods
import Networks
import Records
import Support
import Torch

/// One training in a run folder: everything that decides its outcome, and how to carry it out or go on with it.
public struct TrainingJob {
  /// The network, at the data's classes, channels and resolution.
  public var network: ResolvedNetwork
  /// The data.
  public var dataset: Dataset
  /// How to train.
  public var recipe: Recipe
  /// The class-balanced part of the training data to use, 0 to 1.
  public var dataFraction: Double
  /// The seed of everything random.
  public var seed: Int
  /// Where to compute.
  public var device: Device
  /// Threads that prepare batches.
  public var loaderThreads: Int
  /// What is followed beside the loss; the outcome does not depend on it.
  public var tracks: Set<Tracking>
  /// What changes widths between epochs; nil leaves them as they are.
  public var adapter: (any WidthAdapter)?

  /// Describes a training.
  public init(
    network: ResolvedNetwork, dataset: Dataset, recipe: Recipe, dataFraction: Double = 1, seed: Int = 0,
    device: Device = .cpu, loaderThreads: Int = 1, tracks: Set<Tracking> = [], adapter: (any WidthAdapter)? = nil
  ) {
    self.network = network
    self.dataset = dataset
    self.recipe = recipe
    self.dataFraction = dataFraction
    self.seed = seed
    self.device = device
    self.loaderThreads = loaderThreads
    self.tracks = tracks
    self.adapter = adapter
  }

  /// Makes sure that network and data fit.
  ///
  /// - Parameter isTrained: Whether the network is trained; evaluation alone normalizes by running statistics.
  /// - Throws: `UsageFailure` that names the numbers which differ.
  public func validate(isTrained: Bool = true) throws {
    try recipe.validate()
    let output = network.output
    guard network.input.height == network.input.width else {
      throw UsageFailure("\(network.name) takes images of \(network.input); batches hold square ones")
    }
    guard output.height == 1, output.width == 1 else {
      throw UsageFailure("\(network.name) puts out \(output); a classifier ends in one number a class")
    }
    if isTrained { try requireStatistics() }
    guard network.input.channels == dataset.channels else {
      throw UsageFailure(
        "\(network.name) takes images of \(network.input.channels) channels, \(dataset.name) has \(dataset.channels); "
          + "leave `input-channels` out")
    }
    guard adapter == nil || !tracks.contains(.signChanges) else {
      throw UsageFailure(
        "`track` sign-changes compares weights that stay the same ones; it does not go with `adapt-widths`")
    }
    guard adapter == nil || recipe.averagingDecay == nil else {
      throw UsageFailure(
        "`averaging-decay` averages the weights of one network; it does not go with `adapt-widths`, which changes it")
    }
    guard output.channels == dataset.classNames.count else {
      throw UsageFailure(
        "\(network.name) has \(output.channels) classes, \(dataset.name) has \(dataset.classNames.count); "
          + "leave `classes` out")
    }
  }

  /// Batch normalization of one number has no variance; LibTorch would spread NaN from there.
  ///
  /// - Parameter cohort: Who trains along: of a small batch, a share may be one image.
  package func requireStatistics(_ cohort: Cohort = .single) throws {
    let batch = min(recipe.batchSize, imageCount)
    guard (cohort.synchronizesNorms ? batch : batch / cohort.size) == 1 else { return }
    for layer in network.layers {
      if case .batchNorm = layer.layer.operation, layer.output.height * layer.output.width == 1 {
        throw UsageFailure(
          "`batch-size` \(recipe.batchSize): \(layer.layer.name) would normalize one number a channel; use batches of "
            + "\(2 * cohort.size) or more")
      }
    }
  }

  /// The training images that are used; nil stands for all.
  ///
  /// The choice does not depend on the run's seed, so that 5 % is part of 10 % in every run.
  private func chosenIndices() -> [Int]? {
    dataFraction < 1 ? dataset.training.classBalancedIndices(fraction: dataFraction, seed: 0) : nil
  }

  /// The number of training images that are used.
  public var imageCount: Int {
    dataFraction < 1
      ? dataset.training.classBalancedCount(fraction: dataFraction)
      : dataset.training.count
  }

  /// The batches to train on.
  ///
  /// - Parameters:
  ///   - excluded: Training images to leave out.
  ///   - share: The part of every batch that is made here.
  public func trainingLoader(
    excluding excluded: Set<Int> = [], share: BatchShare = .whole
  ) throws -> BatchLoader {
    let seed = UInt64(bitPattern: Int64(self.seed))
    var indices = chosenIndices()
    if !excluded.isEmpty {
      indices = (indices ?? Array(dataset.training.indices)).filter { !excluded.contains($0) }
    }
    return try BatchLoader(
      source: dataset.training, indices: indices,
      batchSize: min(recipe.batchSize, indices?.count ?? dataset.training.count),
      resolution: network.input.height, normalization: dataset.normalization, augmentation: recipe.augmentation,
      color: recipe.color, mixing: recipe.mixing, seed: seed, shuffles: true, dropsLast: true,
      onBadImage: dataset.onBadImage, device: device, threads: loaderThreads, share: share)
  }

  /// The batches to evaluate on, of the training's batch size.
  public func heldOutLoader(share: BatchShare = .whole) throws -> BatchLoader {
    try dataset.heldOutLoader(
      batchSize: recipe.batchSize, resolution: network.input.height, device: device, threads: loaderThreads,
      share: share)
  }

  /// What the outcome depends on.
  ///
  /// - Throws: What listing the data throws.
  public var identity: TrainingIdentity {
    get throws {
      let classes = dataset.classNames
      return TrainingIdentity(
        network: network.network, recipe: recipe, seed: seed, dataset: dataset.name,
        classes: classes.count <= 1000 ? classes : ["\(classes.count)"], data: try dataset.fingerprint,
        images: dataset.training.count, dataFraction: dataFraction, device: "\(device.kind)",
        adaptation: adapter?.rules)
    }
  }

  /// Trains in a folder, from where an earlier call was stopped, and writes `model.safetensors` and `result.json`.
  ///
  /// A training that is already complete is not done again.
  ///
  /// - Parameters:
  ///   - sinks: Readers of events beside `events.jsonl`.
  ///   - policy: When to save between epochs.
  ///   - cancellation: What may stop it; by default the process's signals.
  ///   - cohort: Who trains along; what the writer's folder holds decides for all.
  public func run(
    in folder: RunFolder, sinks: [any EventSink] = [], policy: CheckpointPolicy = .init(),
    cancellation: Cancellation = .signals, cohort: Cohort = .single
  ) throws -> TrainingResult {
    try validate()
    try requireStatistics(cohort)
    try Torch.prepare(device)
    let identity = try identity.text
    let store = CheckpointStore(folder: folder.checkpoints, identity: identity)
    // Another run's folder is refused here, before anything is written into it.
    try store.refuseOtherRuns()
    if let finished = try cohort.fromWriter({ try finished(in: folder) }) {
      guard cohort.isWriter else { return finished }
      try tell(finished, in: folder)
      for track in tracks.sorted(by: { $0.rawValue < $1.rawValue }) where !folder.weightNorms.holds(track) {
        throw UsageFailure(
          "the training in \(folder.path) is complete, and its \(track.rawValue.replacing("-", with: " ")) were not followed",
          remedy: "`overwrite` trains it again, another `output` beside it")
      }
      return finished
    }
    try AtomicFile.createFolder(folder.path)
    let log = try EventLog(path: folder.events)
    let events = EventStream([log] + sinks)
    let model = try Model(network, seed: seed, device: device)
    let training = try trainingLoader(share: cohort.share)
    let trainer = try Trainer(
      model, recipe: recipe, training: training, heldOut: try heldOutLoader(share: cohort.share), seed: seed,
      events: events,
      checkpoints: store, policy: policy, cancellation: cancellation,
      cohort: cohort, observers: cohort.isWriter ? observers(in: folder) : [], adapter: adapter)
    let cost = network.cost
    try events.send(
      .start(
        .init(
          kind: "train", network: network.name, macs: cost.macs, parameters: cost.parameters, epochs: recipe.epochs,
          stepsPerEpoch: training.batchesPerEpoch, batchSize: training.batchSize, images: training.indices.count,
          resolution: network.input.height, device: device.description, seed: seed)))
    return try trainer.run(remarking: { cohort.isWriter ? try dataset.changes : nil }) { result in
      guard cohort.isWriter else { return }
      try trainer.result.save(
        to: folder.model, metadata: try TrainedContext(dataset).metadata.merging(["run": identity]) { own, _ in own })
      if adapter != nil { try adaptedWidths(trainer.result.plan.resolved).write(to: folder.widths) }
      try JSONFile.write(result, to: folder.result)
    }
  }

  private func observers(in folder: RunFolder) -> [any TrainingObserver] {
    var observers: [any TrainingObserver] = []
    if tracks.contains(.weightNorms) {
      observers.append(WeightNormTracker(epochs: recipe.epochs, in: folder.weightNorms))
    }
    if tracks.contains(.signChanges) {
      observers.append(SignChangeTracker(epochs: recipe.epochs, in: folder.weightNorms))
    }
    if tracks.contains(.gradientCosines) {
      observers.append(
        GradientCosineTracker(epochs: recipe.epochs, labelSmoothing: recipe.labelSmoothing, in: folder.weightNorms) {
          try probeBatch()
        })
    }
    return observers
  }

  // Evenly spaced over the images that are used, so that a folder sorted by class gives all classes; as they are, without variations.
  private func probeBatch() throws -> Batch? {
    let used = chosenIndices() ?? Array(dataset.training.indices)
    let count = min(
      used.count, GradientCosineTracker.images(resolution: network.input.height, batchSize: recipe.batchSize))
    let loader = try BatchLoader(
      source: dataset.training, indices: (0..<count).map { used[$0 * used.count / count] }, batchSize: count,
      resolution: network.input.height, normalization: dataset.normalization, onBadImage: dataset.onBadImage,
      device: device, threads: loaderThreads)
    return try loader.epoch(0).next().flatMap { $0.count > 0 ? $0 : nil }
  }

  private func adaptedWidths(_ end: ResolvedNetwork) -> WidthsFile {
    WidthsFile(
      network: end.name, algorithm: "adapt", macs: end.cost.macs, parameters: end.cost.parameters, widths: end.widths,
      multipliers: PerGroup(end) { Double($0.width) / Double(network.widths[$0.id] ?? $0.width) },
      relativeTo: .trained)
  }

  /// The result in a folder; nil where no training was brought to its end.
  ///
  /// - Throws: `UsageFailure` when it is another training's, `FileFailure` when it is broken.
  public func finished(in folder: RunFolder) throws -> TrainingResult? {
    let identity = try identity.text
    // The weights say which run they come from, so that checkpoints can be removed once a run is complete.
    guard FileManager.default.fileExists(atPath: folder.result),
      let weights = try? SafetensorsFile(path: folder.model), let own = weights.metadata["run"]
    else { return nil }
    guard own == identity else { throw CheckpointStore.otherRun(folder.path, own, identity) }
    return try JSONFile.read(
      TrainingResult.self, path: folder.result, expecting: "remove it, and the same command makes it again")
  }

  // A process that was killed after it wrote its result may not have told so.
  private func tell(_ result: TrainingResult, in folder: RunFolder) throws {
    let count = imageCount
    let batch = min(recipe.batchSize, count)
    let images = recipe.epochs * (count / batch * batch)
    let flops = result.flops ?? 3 * Double(result.macs) * Double(images)
    try EventLog.complete(
      path: folder.events,
      with: [
        .done(.init(top1: result.top1, top5: result.top5, loss: result.loss, seconds: result.seconds, flops: flops))
      ])
  }
}
