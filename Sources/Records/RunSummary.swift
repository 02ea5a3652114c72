import Transfer

/// What a training or an evaluation brought: what `train --json` and `evaluate --json` print.
public struct TrainingResult: Codable, Sendable, Equatable {
  /// Held-out top-1 accuracy in percent.
  public var top1: Double
  /// Held-out top-5 accuracy in percent.
  public var top5: Double
  /// Held-out mean cross-entropy, without label smoothing.
  public var loss: Double
  /// Held-out images.
  public var images: Int
  /// Seconds of work.
  public var seconds: Double
  /// Training images per second (evaluated images for `evaluate`).
  public var imagesPerSecond: Double
  /// Multiply-accumulates of one forward pass of one image.
  public var macs: Int
  /// Learnable parameters.
  public var parameters: Int
  /// Different images left out because they cannot be used; nil when there were none.
  public var skippedImages: Int?
  /// Multiply-accumulates of the whole training, where widths changed under way; nil where it is `macs` for every image.
  public var flops: Double?
  /// What gradients took between processes; nil for one process.
  public var exchange: GradientExchange?

  /// Creates the record.
  public init(
    top1: Double, top5: Double, loss: Double, images: Int, seconds: Double, imagesPerSecond: Double, macs: Int,
    parameters: Int, skippedImages: Int? = nil, flops: Double? = nil, exchange: GradientExchange? = nil
  ) {
    self.top1 = top1
    self.top5 = top5
    self.loss = loss
    self.images = images
    self.seconds = seconds
    self.imagesPerSecond = imagesPerSecond
    self.macs = macs
    self.parameters = parameters
    self.skippedImages = skippedImages
    self.flops = flops
    self.exchange = exchange
  }
}

/// What the main job brought: what `run --json` prints and the report is made from, together with the run folders.
public struct RunSummary: Codable, Sendable, Equatable {
  /// The target network's name.
  public var network: String
  /// The data set's name.
  public var dataset: String
  /// The search algorithm.
  public var algorithm: String
  /// The target's image side in pixels.
  public var resolution: Int
  /// Training images of the target.
  public var images: Int
  /// Classes.
  public var classes: Int
  /// The budget in MACs; of a budget in parameters, the MACs of the uniform network that meets it.
  public var targetMacs: Int
  /// The budget in parameters, where it was one.
  public var targetParameters: Int?
  /// The budget in seconds for one image, where it was one of time.
  public var targetLatency: Double?
  /// By what the networks' times were told: `onnxruntime 1.22.0, 1 thread, …`; nil without a latency table.
  public var latencyRuntime: String?
  /// How network and data were shrunk for the search.
  public var projection: Projection
  /// The source network's MACs at the source resolution.
  public var sourceMacs: Int
  /// What the search cost, nominal and counted.
  public var overhead: WidthsFile.OverheadRecord
  /// The width groups in network order, with the original and the optimized channels.
  public var groups: [Group]
  /// The trained networks: `uniform` and `optimized`.
  public var variants: [Variant]
  /// Where the search's folder is, from the run folder, when it served several budgets; else `search`.
  public var searchFolder: String?

  /// One width group of the target.
  public typealias Group = GroupRecord

  /// One network, trained with one or several seeds.
  public struct Variant: Codable, Sendable, Equatable {
    /// `uniform` or `optimized`.
    public var name: String
    /// MACs of one forward pass.
    public var macs: Int
    /// Learnable parameters.
    public var parameters: Int
    /// How long one image takes; nil without a latency table.
    public var latency: LatencyRecord?
    /// One result a seed.
    public var results: [TrainingResult]
    /// The seeds, in the order of `results`.
    public var seeds: [Int]
    /// Run folders of the trainings, relative to the run folder.
    public var folders: [String]

    /// Creates the record.
    public init(
      name: String, macs: Int, parameters: Int, results: [TrainingResult], seeds: [Int], folders: [String]
    ) {
      self.name = name
      self.macs = macs
      self.parameters = parameters
      self.results = results
      self.seeds = seeds
      self.folders = folders
    }
  }

  /// Creates the record.
  public init(
    network: String, dataset: String, algorithm: String, resolution: Int, images: Int, classes: Int, targetMacs: Int,
    projection: Projection, sourceMacs: Int, overhead: WidthsFile.OverheadRecord, groups: [Group],
    variants: [Variant]
  ) {
    self.network = network
    self.dataset = dataset
    self.algorithm = algorithm
    self.resolution = resolution
    self.images = images
    self.classes = classes
    self.targetMacs = targetMacs
    self.projection = projection
    self.sourceMacs = sourceMacs
    self.overhead = overhead
    self.groups = groups
    self.variants = variants
  }

  /// Whether the search returned the uniform widths: then one training serves both names.
  public var isOneNetwork: Bool {
    guard let uniform = variants.first(where: { $0.name == "uniform" }),
      let optimized = variants.first(where: { $0.name == "optimized" })
    else { return false }
    return !uniform.folders.isEmpty && uniform.folders == optimized.folders
  }
}
