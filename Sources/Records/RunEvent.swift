/// One thing that happened in a run: the only way in which training and search say anything.
///
/// The progress bar, `events.jsonl`, the TensorBoard files and the report are all readers of one stream of these. A line of
/// `events.jsonl` is the payload's fields beside `time` (seconds since 1970) and `event` (the kind).
public enum RunEvent: Sendable, Equatable {
  /// A training or search begins.
  case start(Start)
  /// Some optimizer steps have been made.
  case step(Step)
  /// A pass over the training data has ended and the held-out data has been evaluated.
  case epoch(Epoch)
  /// The state of a width search.
  case search(Search)
  /// A search has decided on widths.
  case widths(DecidedWidths)
  /// Widths have changed in the middle of a training.
  case adaptation(Adaptation)
  /// A checkpoint is on disk.
  case checkpoint(Checkpoint)
  /// The run goes on from a checkpoint.
  case resume(Resume)
  /// Something that a person should know, but that does not stop the run.
  case warning(Warning)
  /// The run is complete.
  case done(Done)

  /// What has changed between two epochs.
  public struct Adaptation: Codable, Sendable, Equatable {
    /// The epochs that are complete.
    public var epoch: Int
    /// Optimizer steps made so far.
    public var step: Int
    /// What was done, in order.
    public var changes: [Change]
    /// Multiply-accumulates from now on.
    public var macs: Int
    /// Learnable parameters from now on.
    public var parameters: Int

    /// One group's change.
    public struct Change: Codable, Sendable, Equatable {
      /// The group.
      public var group: String
      /// Its channels before.
      public var from: Int
      /// Its channels now.
      public var to: Int
      /// What its curve said: `DS` or `IS`.
      public var pattern: String

      /// Creates the record.
      public init(group: String, from: Int, to: Int, pattern: String) {
        self.group = group
        self.from = from
        self.to = to
        self.pattern = pattern
      }
    }

    /// Creates the record.
    public init(epoch: Int, step: Int, changes: [Change], macs: Int, parameters: Int) {
      self.epoch = epoch
      self.step = step
      self.changes = changes
      self.macs = macs
      self.parameters = parameters
    }
  }

  /// What is known when a run begins.
  public struct Start: Codable, Sendable, Equatable {
    /// `train` or `search`.
    public var kind: String
    /// The network's name.
    public var network: String
    /// Multiply-accumulates of one forward pass of one image.
    public var macs: Int
    /// Learnable parameters.
    public var parameters: Int
    /// Passes over the training data.
    public var epochs: Int
    /// Optimizer steps in one epoch.
    public var stepsPerEpoch: Int
    /// Images in one optimizer step.
    public var batchSize: Int
    /// Training images.
    public var images: Int
    /// Side of the input images in pixels.
    public var resolution: Int
    /// `cpu`, `cuda`, …
    public var device: String
    /// The seed of everything random.
    public var seed: Int

    /// Creates the record.
    public init(
      kind: String, network: String, macs: Int, parameters: Int, epochs: Int, stepsPerEpoch: Int, batchSize: Int,
      images: Int, resolution: Int, device: String, seed: Int
    ) {
      self.kind = kind
      self.network = network
      self.macs = macs
      self.parameters = parameters
      self.epochs = epochs
      self.stepsPerEpoch = stepsPerEpoch
      self.batchSize = batchSize
      self.images = images
      self.resolution = resolution
      self.device = device
      self.seed = seed
    }
  }

  /// Progress within an epoch; averages are over the steps since the previous record.
  public struct Step: Codable, Sendable, Equatable {
    /// Optimizer steps made so far, over all epochs.
    public var step: Int
    /// Steps of the whole run.
    public var totalSteps: Int
    /// The epoch, from 0.
    public var epoch: Int
    /// Mean training loss.
    public var loss: Double
    /// The rate that the last of these steps used.
    public var learningRate: Double
    /// Training images per second.
    public var imagesPerSecond: Double

    /// Creates the record.
    public init(step: Int, totalSteps: Int, epoch: Int, loss: Double, learningRate: Double, imagesPerSecond: Double) {
      self.step = step
      self.totalSteps = totalSteps
      self.epoch = epoch
      self.loss = loss
      self.learningRate = learningRate
      self.imagesPerSecond = imagesPerSecond
    }
  }

  /// The end of an epoch.
  public struct Epoch: Codable, Sendable, Equatable {
    /// The epoch that ended, from 0.
    public var epoch: Int
    /// Optimizer steps made so far.
    public var step: Int
    /// Mean training loss of the epoch.
    public var trainLoss: Double
    /// Mean cross-entropy on the held-out data, without label smoothing; nil when it was not evaluated.
    public var loss: Double?
    /// Held-out top-1 accuracy in percent.
    public var top1: Double?
    /// Held-out top-5 accuracy in percent.
    public var top5: Double?
    /// The learning rate of the epoch's last step.
    public var learningRate: Double
    /// Seconds that the epoch took, evaluation included.
    public var seconds: Double

    /// Creates the record.
    public init(
      epoch: Int, step: Int, trainLoss: Double, loss: Double?, top1: Double?, top5: Double?, learningRate: Double,
      seconds: Double
    ) {
      self.epoch = epoch
      self.step = step
      self.trainLoss = trainLoss
      self.loss = loss
      self.top1 = top1
      self.top5 = top5
      self.learningRate = learningRate
      self.seconds = seconds
    }
  }

  /// The state of a width search at one step.
  public struct Search: Codable, Sendable, Equatable {
    /// Search steps made so far.
    public var step: Int
    /// Steps of the whole search.
    public var totalSteps: Int
    /// What the algorithm is doing, for example `warm-up` or `architecture`.
    public var stage: String
    /// The training loss of the widest network.
    public var loss: Double
    /// The cost of the widths that the search holds now, in MACs (an expectation for DMCP).
    public var macs: Double
    /// The budget in MACs.
    public var targetMACs: Double
    /// The widths now (expectations for DMCP), by width group.
    public var widths: [String: Double]
    /// Training images per second.
    public var imagesPerSecond: Double
    /// How far the widths are from being decided, as the mean of their standard deviations in parts of their expectations (DMCP); nil for a
    /// method that always holds one width a group.
    public var undecided: Double?

    // Spelt as in widths.json and on the command line.
    private enum CodingKeys: String, CodingKey {
      case step, totalSteps, stage, loss, macs, widths, imagesPerSecond, undecided
      case targetMACs = "targetMacs"
    }

    /// Creates the record.
    public init(
      step: Int, totalSteps: Int, stage: String, loss: Double, macs: Double, targetMACs: Double,
      widths: [String: Double], imagesPerSecond: Double, undecided: Double? = nil
    ) {
      self.undecided = undecided
      self.step = step
      self.totalSteps = totalSteps
      self.stage = stage
      self.loss = loss
      self.macs = macs
      self.targetMACs = targetMACs
      self.widths = widths
      self.imagesPerSecond = imagesPerSecond
    }
  }

  /// Widths that a search has decided on.
  public struct DecidedWidths: Codable, Sendable, Equatable {
    /// The network that they belong to.
    public var network: String
    /// Channels by width group.
    public var widths: [String: Int]
    /// Cost at these widths.
    public var macs: Int

    /// Creates the record.
    public init(network: String, widths: [String: Int], macs: Int) {
      self.network = network
      self.widths = widths
      self.macs = macs
    }
  }

  /// A checkpoint that has reached the disk.
  public struct Checkpoint: Codable, Sendable, Equatable {
    /// The optimizer steps that it holds.
    public var step: Int
    /// Its file, relative to the run folder.
    public var file: String

    /// Creates the record.
    public init(step: Int, file: String) {
      self.step = step
      self.file = file
    }
  }

  /// A run that goes on.
  public struct Resume: Codable, Sendable, Equatable {
    /// The first step that is (re)done is the one after this.
    public var step: Int

    /// Creates the record.
    public init(step: Int) { self.step = step }
  }

  /// A warning.
  public struct Warning: Codable, Sendable, Equatable {
    /// What a person should know.
    public var message: String

    /// Creates the record.
    public init(message: String) { self.message = message }
  }

  /// The end of a run.
  public struct Done: Codable, Sendable, Equatable {
    /// Held-out top-1 accuracy in percent (training only).
    public var top1: Double?
    /// Held-out top-5 accuracy in percent (training only).
    public var top5: Double?
    /// Held-out mean cross-entropy (training only).
    public var loss: Double?
    /// Seconds of work, over all the times that the run was started.
    public var seconds: Double
    /// Multiply-accumulates spent on forward and backward passes, over all images.
    public var flops: Double

    /// Creates the record.
    public init(top1: Double?, top5: Double?, loss: Double?, seconds: Double, flops: Double) {
      self.top1 = top1
      self.top5 = top5
      self.loss = loss
      self.seconds = seconds
      self.flops = flops
    }
  }
}
