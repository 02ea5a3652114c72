import Diagnosis
import Foundation
import Interchange
import Records
import Torch

/// Counts the weights whose sign changed, in each of the first ten epochs of a training: elements of tensors of two or more axes.
public struct SignChangeTracker: TrainingObserver {
  private let folder: WeightNormFolder
  private let last: Int

  /// Prepares to follow a training of so many epochs.
  public init(epochs: Int, in folder: WeightNormFolder) {
    self.folder = folder
    last = min(epochs, 10)
  }

  /// Keeps the signs before training, or drops the records of epochs that will be trained again.
  public func begin(_ model: Model, afterEpochs ended: Int, isNew: Bool) throws {
    if isNew {
      try folder.write([] as [SignChange])
      try keep(try Self.signs(model), epoch: 0)
    } else {
      try folder.write(((try? folder.signChanges()) ?? []).filter { $0.epoch <= ended })
    }
  }

  /// Takes the record of an epoch.
  public func endEpoch(_ model: Model, endedEpochs: Int, learningRate: Double) throws {
    guard endedEpochs <= last else { return folder.removeSigns() }
    let now = try Self.signs(model)
    // Where a stop or a person took the signs to compare with, a record is missing and the training goes on.
    if let before = try changed(now, since: endedEpochs - 1), let start = try changed(now, since: 0) {
      try folder.write(
        try folder.signChanges() + [SignChange(epoch: endedEpochs, sinceEpochBefore: before, sinceStart: start)])
    }
    try keep(now, epoch: endedEpochs)
    // The epoch before is needed again when the training is stopped before its next checkpoint.
    folder.removeSigns(besides: [0, endedEpochs - 1, endedEpochs])
  }

  private static func signs(_ model: Model) throws -> [(name: String, tensor: Tensor)] {
    try withoutGradients {
      try model.parameters.filter { $0.tensor.shape.count >= 2 }.map {
        ($0.name, try $0.tensor.sign().to(.int8).to(.cpu))
      }
    }
  }

  private func keep(_ signs: [(name: String, tensor: Tensor)], epoch: Int) throws {
    try SafetensorsWriter.write(
      try signs.map { try .init(name: $0.name, $0.tensor) }, metadata: [:], to: folder.signs(epoch: epoch))
  }

  // In percent; nil when the signs of that epoch are not there, or of other weights.
  private func changed(_ now: [(name: String, tensor: Tensor)], since epoch: Int) throws -> Double? {
    guard let file = try? SafetensorsFile(path: folder.signs(epoch: epoch)) else { return nil }
    var (changed, count) = (0.0, 0)
    for (name, tensor) in now {
      guard file.entries[name]?.shape == tensor.shape else { return nil }
      let products = try file.tensor(name).to(.float32) * tensor.to(.float32)
      changed += try (products * -1).isGreater(than: 0).sum().item()
      count += tensor.count
    }
    return count > 0 ? 100 * changed / Double(count) : nil
  }
}
