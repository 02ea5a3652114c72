import ImageFiles
import Networks
import Torch

/// How a model is run.
public struct ForwardOptions {
  /// Where batch normalization takes its statistics from.
  public enum Normalization: Sendable, Hashable {
    /// The running statistics.
    case evaluation
    /// The batch, and the running statistics move towards it: for the model's own width.
    case training
    /// The batch, and the running statistics stay: for networks whose width changes from pass to pass.
    case batch
    /// The batch, and the running statistics become the mean over all batches since their reset.
    case recalibration
  }

  /// Where factors on channels act.
  public enum ScalePlacement: Sendable, Hashable {
    /// After each batch normalization of the group.
    case normalizations
    /// After each batch normalization whose result is not added to another of the group, and after the additions.
    case additions
  }

  /// Where batch normalization takes its statistics from.
  public var normalization: Normalization
  /// The statistics to use or move; nil stands for the model's own.
  public var statistics: BatchStatistics?
  /// Factors on the channels of width groups: group → [channels].
  public var channelScales: [WidthGroup.ID: Tensor]
  /// Where these factors act.
  public var scalePlacement: ScalePlacement
  /// The source of dropout and stochastic depth; nil turns both off.
  public var dropout: Generator?
  /// Whether elementwise results may overwrite inputs that nothing else reads.
  public var reusesBuffers: Bool
  /// Which samples of a batch the images are; nil for all.
  public var place: BatchPlace?
  /// The processes whose samples batch normalization takes its statistics from; nil for this one alone.
  public var synchronizer: ProcessGroup?
  /// Where an evaluation without gradients keeps the weights of convolutions into which the normalizations behind them are taken; nil
  /// leaves them apart. For one model and plan, as long as its weights and statistics stay as they are.
  public var folded: FoldedWeights?

  /// Filters and offsets of convolutions that normalize as well, by the slot of the convolution's result.
  public final class FoldedWeights {
    var values: [Int: (filters: Tensor, offset: Tensor?)] = [:]

    /// None yet; the first pass computes them.
    public init() {}
  }

  /// Creates the options.
  public init(
    _ normalization: Normalization, statistics: BatchStatistics? = nil, channelScales: [WidthGroup.ID: Tensor] = [:],
    scalePlacement: ScalePlacement = .normalizations, dropout: Generator? = nil, reusesBuffers: Bool = true
  ) {
    self.normalization = normalization
    self.statistics = statistics
    self.channelScales = channelScales
    self.scalePlacement = scalePlacement
    self.dropout = dropout
    self.reusesBuffers = reusesBuffers
  }
}
