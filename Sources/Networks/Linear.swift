/// A fully connected layer; the number of input features follows from the graph.
public struct Linear: Hashable, Sendable {
  /// Number of outputs.
  public var outputFeatures: Int
  /// Whether a learnable number is added to each output.
  public var hasBias: Bool

  /// Creates a linear layer.
  public init(outputFeatures: Int, hasBias: Bool = true) {
    self.outputFeatures = outputFeatures
    self.hasBias = hasBias
  }
}

extension Linear: Codable {
  private enum CodingKeys: String, CodingKey { case outputFeatures, hasBias }

  /// Reads a linear layer; it has a bias unless the file says otherwise.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      outputFeatures: try values.decode(Int.self, forKey: .outputFeatures),
      hasBias: try values.decodeIfPresent(Bool.self, forKey: .hasBias) ?? true)
  }
}
