import Diagnosis
import Foundation
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

  /// Reads one training.
  ///
  /// - Throws: `FileFailure` when a file is missing or broken.
  public init(_ folder: RunFolder) throws {
    self.folder = folder
    network = try Network(path: folder.weightNorms.network).resolved()
    series = NormSeries(try folder.weightNorms.samples())
    seed =
      ((try? EventLog.read(path: folder.events)) ?? []).lazy.compactMap {
        if case .start(let start) = $0.event { start.seed } else { nil }
      }.first
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
    let tracked = parts.compactMap { folder.part($0.folder) }.filter(\.weightNorms.exists)
    guard !tracked.isEmpty else {
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
  }

  /// Reads a diagnosis.
  ///
  /// - Throws: `FileFailure` when there is none, or the file is another.
  public init(path: String) throws {
    self = try JSONFile.read(DiagnosisSummary.self, path: path, expecting: "`diagnose` writes such a file")
    _ = try network.resolved()
  }
}
