import Datasets
import Foundation
import Networks
import Runs
import Support
import Torch
import Training

/// One width search in a run folder: everything that decides its outcome, and how to carry it out or go on with it.
public struct SearchJob {
  /// The network to search, at the resolution of the search.
  public var network: Network
  /// The data.
  public var dataset: Dataset
  /// The class-balanced part of the training data to use, 0 to 1.
  public var dataFraction: Double
  /// The method.
  public var optimizer: any WidthOptimizer
  /// The budget, in MACs at the resolution of the search.
  public var targetMACs: Int
  /// How weights are trained during the search.
  public var recipe: Recipe
  /// Channel counts are multiples of this where the search makes a wider network.
  public var divisor: Int
  /// The seed of everything random.
  public var seed: Int
  /// Where to compute.
  public var device: Device
  /// Threads that prepare batches.
  public var loaderThreads: Int

  /// Describes a search.
  public init(
    network: Network, dataset: Dataset, dataFraction: Double = 1, optimizer: any WidthOptimizer, targetMACs: Int,
    recipe: Recipe, divisor: Int = 8, seed: Int = 0, device: Device = .cpu, loaderThreads: Int = 1
  ) {
    self.network = network
    self.dataset = dataset
    self.dataFraction = dataFraction
    self.optimizer = optimizer
    self.targetMACs = targetMACs
    self.recipe = recipe
    self.divisor = divisor
    self.seed = seed
    self.device = device
    self.loaderThreads = loaderThreads
  }

  /// The same network, data and recipe as a training, which knows how to load batches and check that things fit.
  private var training: TrainingJob {
    TrainingJob(
      network: network, dataset: dataset, recipe: recipe, dataFraction: dataFraction, seed: seed, device: device,
      loaderThreads: loaderThreads)
  }

  private struct Identity: Encodable {
    var training: String
    var optimizer: String
    var targetMACs: Int
    var divisor: Int
  }

  /// Searches in a folder, from where an earlier call was stopped; a search that is complete is not done again.
  public func run(
    in folder: RunFolder, sinks: [any EventSink] = [], policy: CheckpointPolicy = .init()
  ) throws -> SearchResult {
    try training.validate()
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let identity = String(
      decoding: try encoder.encode(
        Identity(
          training: try training.identity, optimizer: optimizer.identity, targetMACs: targetMACs, divisor: divisor)),
      as: UTF8.self)
    if let finished = try finished(in: folder, identity: identity) { return finished }
    let checkpoints = CheckpointStore(folder: folder.checkpoints, identity: identity)
    try checkpoints.refuseOtherRuns()
    try AtomicFile.createFolder(folder.path)
    let log = try EventLog(path: folder.events)
    let events = EventStream([log] + sinks)
    let loader = try training.trainingLoader()
    let cost = try network.cost()
    try events.send(
      .start(
        .init(
          kind: "search", network: network.name, macs: cost.macs, parameters: cost.parameters, epochs: recipe.epochs,
          stepsPerEpoch: loader.batchesPerEpoch, batchSize: loader.batchSize, images: loader.indices.count,
          resolution: network.input.height, device: device.description, seed: seed)))
    let result = try optimizer.search(
      SearchContext(
        network: network, training: loader, targetMACs: targetMACs, recipe: recipe, divisor: divisor, seed: seed,
        device: device, events: events, checkpoints: checkpoints, policy: policy))
    try JSONFile.write(Finished(identity: identity, result: result), to: folder.result)
    for event in lastEvents(of: result) { try events.send(event) }
    try events.flush()
    return result
  }

  private func lastEvents(of result: SearchResult) -> [RunEvent] {
    result.warnings.map { .warning(.init(message: $0)) } + [
      .widths(
        .init(
          network: network.name, widths: result.channels.mapValues { max(1, Int($0.rounded())) },
          macs: Int(result.macs.rounded()))),
      .done(.init(top1: nil, top5: nil, loss: nil, seconds: result.cost.seconds, flops: result.cost.flops)),
    ]
  }

  private struct Finished: Codable {
    var identity: String
    var result: SearchResult
  }

  private func finished(in folder: RunFolder, identity: String) throws -> SearchResult? {
    guard FileManager.default.fileExists(atPath: folder.result) else { return nil }
    let finished = try JSONFile.read(Finished.self, path: folder.result, expecting: "remove it to search again")
    guard finished.identity == identity else {
      throw UsageFailure(
        "\(folder.path) holds a search with other settings; choose another --output, or start anew with --overwrite")
    }
    // A process that was killed after it wrote its result may not have told so.
    try EventLog.complete(path: folder.events, with: lastEvents(of: finished.result))
    return finished.result
  }
}
