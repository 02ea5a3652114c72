import Diagnosis
import Interchange
import Networks
import Records
import Support
import Torch

/// Writes the norms of a training's channels into its folder: before the first epoch and after each.
public struct WeightNormTracker: TrainingObserver {
  private let folder: WeightNormFolder
  private let epochs: Int

  /// Prepares to follow a training of so many epochs.
  public init(epochs: Int, in folder: WeightNormFolder) {
    self.folder = folder
    self.epochs = epochs
  }

  /// Takes the sample before training, or drops those of epochs that will be trained again.
  ///
  /// - Throws: `UsageFailure` where the training goes on and its former epochs were not followed: a curve that begins in the middle would be
  ///   taken for a whole one.
  public func begin(_ model: Model, afterEpochs ended: Int, isNew: Bool) throws {
    if !isNew {
      let known = Set(((try? folder.samples()) ?? []).map(\.epoch))
      if let gap = (0...max(0, ended)).first(where: { !known.contains($0) }) {
        throw UsageFailure(
          "the training that goes on here is \(ended) epochs old, and its weight norms were not followed in epoch \(gap): \(folder.series)",
          remedy: "go on without `track`, or train anew with it: `overwrite`, or another `output`")
      }
    }
    try folder.prepare(for: model.plan.resolved, after: isNew ? nil : ended)
    if isNew { try observe(model, epoch: 0, learningRate: nil) }
  }

  /// Takes the sample of an epoch.
  public func endEpoch(_ model: Model, endedEpochs: Int, learningRate: Double) throws {
    try folder.describe(model.plan.resolved)
    try observe(model, epoch: endedEpochs, learningRate: learningRate)
  }

  /// Whether what is large is kept after an epoch: each of the first ten, every tenth, and the last.
  static func keepsSnapshot(of epoch: Int, last: Int) -> Bool { epoch <= 10 || epoch % 10 == 0 || epoch == last }

  private func observe(_ model: Model, epoch: Int, learningRate: Double?) throws {
    let reader = WeightNormReader(model.plan.resolved)
    let norms = try reader.read { try model.tensor(named: $0) }
    if Self.keepsSnapshot(of: epoch, last: epochs) {
      try write(norms, of: reader.groups, epoch: epoch, model.network.name)
    }
    try folder.append(reader.samples(norms, epoch: epoch, learningRate: learningRate))
  }

  // The norms of each tensor's channels, under `weight:0` for what computes them and `weight:1` for what reads them.
  private func write(_ norms: [ChannelNorms], of groups: [ChannelGroup], epoch: Int, _ network: String) throws {
    var tensors: [SafetensorsWriter.Tensor] = []
    for (group, norms) in zip(groups, norms) where group.kind == .group {
      for (slice, values) in zip(norms.slices, norms.norms) {
        tensors.append(try .init(name: WeightNormFolder.name(of: slice), try Tensor(values.map(Float.init))))
      }
    }
    try SafetensorsWriter.write(
      tensors, metadata: ["epoch": "\(epoch)", "network": network], to: folder.snapshot(epoch: epoch))
  }
}
