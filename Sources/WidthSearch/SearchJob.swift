import Foundation
import ImageFiles
import Loading
import Methods
import Networks
import Records
import Support
import Torch
import Training

/// One width search in a run folder: everything that decides its outcome, and how to carry it out or go on with it.
public struct SearchJob {
  /// The network to search, at the resolution of the search.
  public var network: ResolvedNetwork
  /// The data.
  public var dataset: Dataset
  /// The class-balanced part of the training data to use, 0 to 1.
  public var dataFraction: Double
  /// The method.
  public var optimizer: any WidthSearching
  /// The budgets, at the resolution of the search: one, or several where the method serves several at once.
  public var targets: [Int]
  /// What the budgets are set on.
  public var costModel: CostModel
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
  /// What to tell a person as the search starts; its outcome does not depend on it.
  public var notices: [String] = []

  /// Describes a search.
  public init(
    network: ResolvedNetwork, dataset: Dataset, dataFraction: Double = 1, optimizer: any WidthSearching, targets: [Int],
    in costModel: CostModel = .macs, recipe: Recipe, divisor: Int = 8, seed: Int = 0, device: Device = .cpu,
    loaderThreads: Int = 1
  ) {
    self.network = network
    self.dataset = dataset
    self.dataFraction = dataFraction
    self.optimizer = optimizer
    self.targets = targets
    self.costModel = costModel
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

  /// What the outcome depends on.
  ///
  /// - Throws: What listing the data throws.
  public var identity: SearchIdentity {
    get throws {
      SearchIdentity(
        training: try training.identity, method: optimizer.name, settings: optimizer.settings, model: costModel.name,
        targets: targets, divisor: divisor)
    }
  }

  /// The training images that the search keeps for comparing widths.
  var heldOutIndices: [Int] {
    optimizer.heldOutPart?.indices(of: dataset.training, dataFraction: dataFraction) ?? []
  }

  /// The sizes that the search's cost grows with.
  ///
  /// - Throws: As the search itself, when the network cannot be widened.
  public func scale() throws -> SearchCost.Scale {
    let heldOut = heldOutIndices.count
    let images = max(0, training.imageCount - heldOut)
    let batch = max(1, min(recipe.batchSize, images))
    return SearchCost.Scale(
      supernetMACs: try optimizer.widestNetwork(for: network, divisor: divisor).cost.macs,
      trainingImages: images / batch * batch, evaluationImages: heldOut, widthGroups: network.widthGroups.count)
  }

  /// Makes sure that the search can run.
  ///
  /// - Throws: `UsageFailure` that names what does not fit.
  public func validate() throws {
    try training.validate()
    try optimizer.validate(network, recipe: recipe)
    if !optimizer.reachesAnyBudget {
      let widest = costModel.count(try optimizer.widestNetwork(for: network, divisor: divisor))
      for target in targets where target >= widest {
        throw UsageFailure(
          "\(optimizer.name) prunes a network of \(widest) \(costModel.unit), and the budget of \(target) is not below that: "
            + (optimizer.wideningSetting.map { "widen it by `search-option` \($0), or " } ?? "")
            + "lower `\(costModel.setting)`")
      }
    }
    if let narrowest = try optimizer.narrowestNetwork(for: network, divisor: divisor).map(costModel.count) {
      // What is a little below is met within the band that a search has.
      for target in targets where Double(narrowest) > (1 + DMCPConvergence.band) * Double(target) {
        throw UsageFailure(
          "\(optimizer.name) finds no network below \(narrowest) \(costModel.unit), and the budget is \(target): "
            + (optimizer.narrowingSetting.map { "lower `search-option` \($0), or " } ?? "")
            + "raise `\(costModel.setting)`")
      }
    }
    try requireRest()
  }

  /// Refuses a held-out part that leaves a class without an image to train on, or too few for a batch.
  private func requireRest() throws {
    guard optimizer.heldOutPart != nil else { return }
    let heldOut = Set(heldOutIndices)
    let used = dataset.training.classSamples(fraction: min(1, dataFraction), seed: 0)
    for (label, members) in used.enumerated() where !members.isEmpty && members.allSatisfy(heldOut.contains) {
      throw UsageFailure(
        "\(optimizer.name) keeps images of every class to compare widths on, and of class "
          + "\(dataset.classNames[label]) none is left to train on: it has \(members.count); use more of the data")
    }
    guard training.imageCount - heldOut.count > 1 else {
      throw UsageFailure("\(optimizer.name) has too few images to train on; use more of the data")
    }
  }

  /// Searches in a folder, from where an earlier call was stopped; a search that is complete is not done again.
  ///
  /// - Parameters:
  ///   - sinks: Readers of events beside `events.jsonl`.
  ///   - policy: When to save.
  ///   - cancellation: What may stop it; by default the process's signals.
  ///   - cohort: Who searches along; what the writer's folder holds decides for all.
  ///   - remarks: What else to warn of, given a result.
  public func run(
    in folder: RunFolder, sinks: [any EventSink] = [], policy: CheckpointPolicy = .init(),
    cancellation: Cancellation = .signals, cohort: Cohort = .single,
    remarks: (SearchResult) throws -> [String] = { _ in [] }
  ) throws -> [SearchResult] {
    try validate()
    try training.requireStatistics(cohort)
    try Torch.prepare(device)
    let identity = try identity.text
    if let finished = try cohort.fromWriter({ try finished(in: folder) }) {
      guard cohort.isWriter else { return finished }
      // A process that was killed after it wrote its result may not have told so.
      try EventLog.complete(path: folder.events, with: lastEvents(of: finished, remarks))
      return finished
    }
    let checkpoints = CheckpointStore(folder: folder.checkpoints, identity: identity)
    try checkpoints.refuseOtherRuns()
    try AtomicFile.createFolder(folder.path)
    let log = try EventLog(path: folder.events)
    let events = EventStream([log] + sinks)
    let heldOut = heldOutIndices
    let loader = try training.trainingLoader(excluding: Set(heldOut), share: cohort.share)
    let cost = network.cost
    try events.send(
      .start(
        .init(
          kind: "search", network: network.name, macs: cost.macs, parameters: cost.parameters, epochs: recipe.epochs,
          stepsPerEpoch: loader.batchesPerEpoch, batchSize: loader.batchSize, images: loader.indices.count,
          resolution: network.input.height, device: device.description, seed: seed)))
    for notice in notices { try events.send(.warning(.init(message: notice))) }
    var results = try optimizer.search(
      SearchContext(
        network: network, training: loader,
        heldOut: try heldOutLoader(heldOut), targets: targets, costModel: costModel, recipe: recipe,
        divisor: divisor, seed: seed, device: device, events: events, checkpoints: checkpoints, policy: policy,
        cancellation: cancellation, cohort: cohort))
    // Processors of different makes may differ in a last bit, and all train the same widths.
    results = try cohort.fromWriter { results } ?? results
    try JSONFile.write(Finished(identity: identity, results: results), to: folder.result)
    if cohort.isWriter, let changes = try training.dataset.changes {
      try events.send(.warning(.init(message: changes)))
    }
    for event in try lastEvents(of: results, remarks) { try events.send(event) }
    try events.flush()
    return results
  }

  /// Batches of images to compare widths on; nil for methods that compare none.
  func heldOutLoader(_ indices: [Int]) throws -> BatchLoader? {
    try optimizer.heldOutPart?.loader(
      indices, of: dataset.training, resolution: network.input.height, normalization: dataset.normalization,
      onBadImage: dataset.onBadImage, device: device, threads: loaderThreads)
  }

  /// A few batches of the images that the search trains on.
  func trialLoader(batches: Int, excluding excluded: Set<Int>) throws -> BatchLoader {
    var few = training
    // Half a batch more than whole ones, so that no rounding of classes takes one away.
    let images = (Double(batches) + 0.5) * Double(recipe.batchSize) + Double(excluded.count)
    few.dataFraction = min(dataFraction, images / Double(max(1, dataset.training.count)))
    return try few.trainingLoader(excluding: excluded)
  }

  private func lastEvents(
    of results: [SearchResult], _ remarks: (SearchResult) throws -> [String]
  ) throws -> [RunEvent] {
    let widths = results.map { result in
      RunEvent.widths(
        .init(
          network: network.name, widths: result.channels.mapValues(LeastChannels.whole),
          macs: Int(result.macs.rounded())))
    }
    // The search for several budgets ends with the one that took longest.
    let cost = results.map(\.cost).max { $0.seconds < $1.seconds } ?? SearchCost()
    return try results.flatMap { $0.warnings + (try remarks($0)) }.map { .warning(.init(message: $0)) } + widths
      + [.done(.init(top1: nil, top5: nil, loss: nil, seconds: cost.seconds, flops: cost.flops))]
  }

  private struct Finished: Codable {
    var identity: String
    var results: [SearchResult]
  }

  /// The results in a folder; nil where no search was brought to its end.
  ///
  /// - Throws: `UsageFailure` when they are another search's, `FileFailure` when they are broken.
  public func finished(in folder: RunFolder) throws -> [SearchResult]? {
    guard FileManager.default.fileExists(atPath: folder.result) else { return nil }
    let finished = try JSONFile.read(Finished.self, path: folder.result, expecting: "remove it to search again")
    let identity = try identity.text
    guard finished.identity == identity else {
      throw CheckpointStore.otherRun(folder.path, finished.identity, identity)
    }
    return finished.results
  }
}
