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

extension Linear: OperationDefinition {
  /// `linear`.
  public static let kinds = ["linear"]
  /// `linear`.
  public var kind: String { "linear" }
  /// Its settings.
  public static let settingNames: [String] = ["outputFeatures", "hasBias"]
  /// Reads a linear layer.
  public init(kind: String, settingsFrom decoder: any Decoder) throws { try self.init(from: decoder) }
  /// Writes both settings.
  public func encodeSettings(to encoder: any Encoder) throws { try encode(to: encoder) }
  /// One.
  public var arity: Arity { .one }

  /// A vector.
  public func output(at site: OperationSite) throws -> Shape {
    guard site.input.height == 1, site.input.width == 1 else {
      throw site.failure("a linear layer needs a pooled or flattened input, not \(site.input)")
    }
    try site.require(outputFeatures, in: 1...Limits.channels, "number of output features")
    return Shape(channels: outputFeatures, height: 1, width: 1)
  }

  /// Features of its own.
  public var channels: ChannelFlow { .produces() }

  /// The layer with another number of outputs.
  public func with(outputChannels: Int) -> Linear {
    var changed = self
    changed.outputFeatures = outputChannels
    return changed
  }

  /// `weight` [outputs, inputs] and `bias`.
  public var parameters: [ParameterForm] {
    let weight = ParameterForm("weight", .weight, [.output, .input()])
    return hasBias ? [weight, ParameterForm("bias", .bias, [.output])] : [weight]
  }

  /// One for each pair of an output and an input.
  public var multiplyAccumulates: MultiplyAccumulates { .dense(window: 1) }
}
