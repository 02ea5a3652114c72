import Diagnosis
import Foundation
import Interchange
import Networks
import Support

/// A training whose weight norms were followed, as its folder holds it.
public struct TrackedTraining: Sendable {
  /// The training's folder.
  public var folder: RunFolder
  /// The network that was trained.
  public var network: ResolvedNetwork
  /// What was followed.
  public var series: NormSeries
  /// The training's seed, where its events tell.
  public var seed: Int?
  /// The held-out accuracy after its epochs, where its events tell.
  public var accuracy: [DiagnosisSummary.Accuracy]

  /// Whether it has ended: what a series holds of one that has not is its beginning.
  public var isFinished: Bool { FileManager.default.fileExists(atPath: folder.result) }

  /// Reads one training.
  ///
  /// - Throws: `FileFailure` when a file is missing or broken.
  public init(_ folder: RunFolder) throws {
    self.folder = folder
    network = try Network(path: folder.weightNorms.network).resolved()
    series = NormSeries(try folder.weightNorms.samples())
    // Epochs that were trained again after a stop count once, as they went in the end.
    var byEpoch: [Int: Double] = [:]
    var found: Int?
    try? EventLog.read(path: folder.events) { event in
      if case .start(let start) = event.event, found == nil { found = start.seed }
      if case .epoch(let epoch) = event.event { byEpoch[epoch.epoch + 1] = epoch.top1 }
    }
    seed = found
    accuracy = byEpoch.sorted { $0.key < $1.key }.map { DiagnosisSummary.Accuracy(epoch: $0.key, top1: $0.value) }
  }

  /// The trainings of a folder: the one that it is, or those of the run that it holds.
  ///
  /// - Throws: `FileFailure`: `missing` when nothing was followed there.
  public static func all(in folder: RunFolder) throws -> [TrackedTraining] {
    if folder.weightNorms.exists { return [try TrackedTraining(folder)] }
    guard FileManager.default.fileExists(atPath: folder.path) else {
      throw FileFailure(.missing, path: folder.path, reason: "there is no such folder")
    }
    let parts = try RunManifest.read(folder)?.parts.filter { $0.kind == "train" } ?? []
    // Of one that is not done, the series is not all there.
    let begun = parts.compactMap { folder.part($0.folder) }.filter(\.weightNorms.exists)
    let tracked = begun.filter { FileManager.default.fileExists(atPath: $0.result) }
    guard !tracked.isEmpty else {
      guard begun.isEmpty else {
        throw FileFailure(
          .missing, path: folder.path,
          reason: "none of its trainings has ended; run the same command again, and diagnose it then")
      }
      throw FileFailure(
        .missing, path: folder.weightNorms.series,
        reason: "the weight norms of this training were not followed; `train --track weight-norms` does it, and "
          + "`diagnose --network NAME --weights 'FILES'` reads checkpoints of another program")
    }
    return try tracked.map(TrackedTraining.init)
  }

  /// The trainings of several folders, which must be of one network.
  ///
  /// - Throws: `UsageFailure` that lists the folders by network when there are several; as ``all(in:)``.
  public static func ofOneNetwork(in folders: [RunFolder]) throws -> [TrackedTraining] {
    let all = try folders.flatMap { try Self.all(in: $0) }
    var networks: [Network] = []
    for training in all where !networks.contains(training.network.network) { networks.append(training.network.network) }
    guard networks.count == 1 else {
      let listed = networks.map { network in
        all.filter { $0.network.network == network }.map(\.folder.path).joined(separator: ", ")
      }
      throw UsageFailure(
        "these are trainings of \(networks.count) different networks, each with a diagnosis of its own: "
          + listed.joined(separator: "; "))
    }
    return all
  }
}

extension DiagnosisSummary {
  /// Diagnoses trainings of one network.
  public init(_ trainings: [TrackedTraining], mode: NormMode = .product) {
    self.init(
      trainings[0].network,
      trainings.map {
        (Source(path: $0.folder.path, seed: $0.seed, epochs: $0.series.epochs), $0.series)
      }, mode: mode)
    let open = trainings.filter { !$0.isFinished }
    if !open.isEmpty {
      let names = open.map { "\($0.folder.path) (\(Format.number($0.series.epochs.count, "sample")) so far)" }
      unfinished =
        "not finished: \(Format.list(names, most: 4)); a curve that has not come to its fall yet looks like one of a wide layer"
      remark = [unfinished.map { "Trainings \($0)." }, remark].compactMap(\.self).joined(separator: " ")
    }
    let first = trainings[0]
    accuracy = first.accuracy
    let channels = first.network.channelGroups
    let epochs = first.folder.weightNorms.snapshotEpochs
    // A snapshot that is gone or damaged costs its picture and not the diagnosis.
    signChanges = try? first.folder.weightNorms.signChanges()
    gradientCosines = try? first.folder.weightNorms.gradientCosines()
    addFilters(of: first.folder.model)
    let snapshots = epochs.compactMap { epoch in
      (try? first.folder.weightNorms.norms(epoch: epoch, of: channels)).map { (epoch: epoch, norms: $0) }
    }
    guard let last = snapshots.last else { return }
    let shown = Self.spreadOut(snapshots.map(\.epoch))
    for index in groups.indices {
      groups[index].distributions = snapshots.filter { shown.contains($0.epoch) }.compactMap { snapshot in
        guard let values = snapshot.norms[index].values(.incoming) else { return nil }
        let mean = values.reduce(0, +) / Double(values.count)
        return KernelDensity(values.map { $0 / mean }).map { Distribution(epoch: snapshot.epoch, density: $0) }
      }
      if last.epoch > 6, let early = snapshots.first(where: { $0.epoch == 6 }),
        let x = early.norms[index].values(.incoming), let y = last.norms[index].values(.incoming)
      {
        groups[index].early = Early(
          epoch: 6, correlation: correlation(x, y), rankCorrelation: rankCorrelation(x, y), points: Self.points(x, y))
      }
    }
  }

  // Weights that are gone or damaged cost a picture and not the diagnosis.
  private mutating func addFilters(of path: String) {
    guard let file = try? SafetensorsFile(path: path) else { return }
    for index in groups.indices {
      guard let layer = groups[index].layers.first, let (values, count) = try? file.rows(of: "\(layer).weight"),
        count == groups[index].width
      else { continue }
      groups[index].filters = FilterCosines(rows: values, count: count)
    }
  }

  // Relative to the layer's means, and of wide layers evenly spaced channels: a picture needs no more.
  private static func points(_ early: [Double], _ late: [Double]) -> [[Double]]? {
    let (a, b) = (early.reduce(0, +) / Double(early.count), late.reduce(0, +) / Double(late.count))
    guard a > 0, b > 0 else { return nil }
    return stride(from: 0, to: early.count, by: max(1, early.count / 64)).map { index in
      [early[index] / a, late[index] / b].map { ($0 * 1000).rounded() / 1000 }
    }
  }

  // The first, the last, and about four between, closer together at the beginning, where norms change most.
  private static func spreadOut(_ epochs: [Int]) -> Set<Int> {
    guard let last = epochs.last else { return [] }
    let wanted = [0, 1, 3, 6, 10, last / 2, last]
    return Set(wanted.compactMap { target in epochs.min { abs($0 - target) < abs($1 - target) } })
  }

  /// Reads a diagnosis.
  ///
  /// - Throws: `FileFailure` when there is none, or the file is another.
  public init(path: String) throws {
    self = try JSONFile.read(DiagnosisSummary.self, path: path, expecting: "`diagnose` writes such a file")
    _ = try network.resolved()
  }
}
