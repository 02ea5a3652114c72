/// The sizes of a small vision transformer and its training: a common one for CIFAR-10. [reconstructed]
public struct TransformerSettings: Codable, Hashable, Sendable {
  /// Features of a token.
  public var dimension = 512
  /// Blocks.
  public var depth = 6
  /// Heads of attention.
  public var heads = 8
  /// Features of a head.
  public var headSize = 64
  /// Pixels of a patch's side.
  public var patch = 4
  /// Dropout in blocks and of embeddings.
  public var dropout = 0.1
  /// Images in a step.
  public var batchSize = 512
  /// Adam's first learning rate, which falls to 0 along a cosine.
  public var learningRate = 1e-4

  /// The sizes that the source's figure was probably made with.
  public static let full = TransformerSettings()

  /// A third of the features and smaller batches, for two cores.
  public static let small: TransformerSettings = {
    var settings = TransformerSettings()
    (settings.dimension, settings.heads) = (192, 3)
    (settings.batchSize, settings.learningRate) = (64, 5e-4)
    return settings
  }()
}
