import Diagnosis
import Foundation
import ImageFiles
import Methods
import Networks
import Records
import Support
import Torch
import Training

/// Trainings of networks whose weight norms are followed, for the studies of Chen, Bu and Yan (2024); each is a run folder of its own, which goes on
/// after a stop and is not trained twice.
public struct NetworkStudy {
  /// The data.
  public var dataset: Dataset
  /// How to train.
  public var recipe: Recipe
  /// The part of the training images to use.
  public var dataFraction: Double
  /// The seeds.
  public var seeds: [Int]
  /// Where to compute.
  public var device: Device
  /// Threads that prepare batches.
  public var loaderThreads: Int
  /// What is followed of each training.
  public var tracks: Set<Tracking> = [.weightNorms, .signChanges]
  /// What is followed, too, of trainings that are not done yet: another study in the same folder may have done some without.
  public var furtherTracks: Set<Tracking> = []
  /// Who listens to a training, given what it is called and its folder.
  public var sinks: (_ label: String, _ folder: RunFolder) throws -> [any EventSink]

  /// Describes a study.
  public init(
    dataset: Dataset, recipe: Recipe, dataFraction: Double = 1, seeds: [Int], device: Device = .cpu,
    loaderThreads: Int = 1, sinks: @escaping (String, RunFolder) throws -> [any EventSink] = { _, _ in [] }
  ) {
    self.dataset = dataset
    self.recipe = recipe
    self.dataFraction = dataFraction
    self.seeds = seeds
    self.device = device
    self.loaderThreads = loaderThreads
    self.sinks = sinks
  }

  /// A network of the zoo for a study's data.
  public static func network(
    _ name: String, width: Double, divisor: Int, for dataset: Dataset
  ) throws -> ResolvedNetwork {
    try NetworkRequest(name: name, width: width == 1 ? nil : width, divisor: divisor)
      .build(classes: dataset.classNames.count, inputChannels: dataset.channels, resolution: dataset.resolution)
  }

  /// Trains a network with every seed.
  ///
  /// - Parameter folder: Where the seeds' folders are.
  /// - Returns: What was followed, and the top-1 accuracy of each.
  public func trainings(
    of network: ResolvedNetwork, _ label: String, in folder: String
  ) throws -> [(tracked: TrackedTraining, result: TrainingResult)] {
    try seeds.map { seed in
      let place = RunFolder(path: (folder as NSString).appendingPathComponent("seed-\(seed)"))
      let isDone = FileManager.default.fileExists(atPath: place.result)
      let tracks = tracks.union(furtherTracks.filter { !isDone || place.weightNorms.holds($0) })
      let job = TrainingJob(
        network: network, dataset: dataset, recipe: recipe, dataFraction: dataFraction, seed: seed, device: device,
        loaderThreads: loaderThreads, tracks: tracks)
      let result = try job.run(in: place, sinks: sinks("\(label), seed \(seed)", place))
      return (try TrackedTraining(place), result)
    }
  }

  /// Trains a network at several widths of one group with every seed: where its pattern turns from too narrow to wide enough.
  ///
  /// - Throws: `NetworkFailure` for a width that the group cannot have.
  public func points(
    of network: ResolvedNetwork, group: WidthGroup.ID, widths: [Int], in folder: String
  ) throws -> [WidthSweepSummary.Point] {
    try widths.map { width in
      let trained = try trainings(
        of: network.with([group: width]), "\(group) at \(width)",
        in: (folder as NSString).appendingPathComponent("width-\(width)"))
      let classifier = PatternClassifier()
      func curve(_ id: String, _ series: NormSeries) -> WidthSweepSummary.Curve {
        let values = series.curve(id)
        return .init(group: id, values: values, finding: classifier.classify(values))
      }
      return WidthSweepSummary.Point(
        width: width,
        results: trained.enumerated().map { index, training in
          let series = training.tracked.series
          return .init(
            seed: seeds[index], score: training.result.top1, curve: curve(group, series),
            further: training.tracked.network.channelGroups.filter { $0.id != group }.map { curve($0.id, series) })
        })
    }
  }
}
