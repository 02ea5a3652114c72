import Torch

/// An exponential moving average of a model's weights and batch-norm statistics, itself a model.
public final class WeightAverage {
  /// The averaged model.
  public let model: Model
  /// How much of the former average each update keeps.
  public let decay: Double
  private let averages: [Tensor]

  /// Starts the average at the model's present values.
  public init(of source: Model, decay: Double) throws {
    model = try Model(source.network, seed: 0, device: source.device)
    self.decay = decay
    averages = model.tensors + model.statistics.means + model.statistics.variances
    try withoutGradients {
      for (average, value) in zip(averages, Self.values(of: source)) { try average.copy(from: value) }
    }
  }

  /// Moves the average towards the model.
  public func update(from source: Model) throws {
    try updateAverages(averages, towards: Self.values(of: source), decay: decay)
    model.statistics.batchesTracked = source.statistics.batchesTracked
  }

  private static func values(of model: Model) -> [Tensor] {
    model.tensors + model.statistics.means + model.statistics.variances
  }
}
