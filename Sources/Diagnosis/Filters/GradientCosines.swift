/// How alike the gradients of a layer's channels are after an epoch: while channels still learn apart, about as alike as random directions, and
/// more where they pull one way. Stage 1 of Chen, Bu, Yan (2024), whose source says of it that the gradients are near orthogonal.
public struct GradientCosines: Codable, Hashable, Sendable {
  /// Epochs trained.
  public var epoch: Int
  /// The layers that could be compared, in network order.
  public var layers: [Layer]

  /// The channels of one layer.
  public struct Layer: Codable, Hashable, Sendable {
    /// The width group whose channels they are.
    public var group: String
    /// The mean of |cosine| over all pairs of channels.
    public var mean: Double
    /// About the same of random directions.
    public var ofRandom: Double

    /// Creates the record.
    public init(group: String, mean: Double, ofRandom: Double) {
      self.group = group
      self.mean = mean
      self.ofRandom = ofRandom
    }
  }

  /// Creates the record.
  public init(epoch: Int, layers: [Layer]) {
    self.epoch = epoch
    self.layers = layers
  }
}
