/// Normalization over groups of channels of each image, as PyTorch's `GroupNorm`.
public struct GroupNorm: OperationDefinition {
  /// How many equal groups the channels fall into.
  public var groups: Int
  /// Added to the variance.
  public var epsilon: Double
  /// Whether it has a shift beside its scale.
  public var hasBias: Bool

  /// Creates the operation.
  public init(groups: Int, epsilon: Double = 1e-5, hasBias: Bool = true) {
    self.groups = groups
    self.epsilon = epsilon
    self.hasBias = hasBias
  }

  private enum CodingKeys: String, CodingKey { case groups, epsilon, hasBias }

  /// `groupNorm`.
  public static let kinds = ["groupNorm"]
  /// `groupNorm`.
  public var kind: String { "groupNorm" }
  /// Its settings.
  public static let settingNames: [String] = ["groups", "epsilon", "hasBias"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      groups: try values.decode(Int.self, forKey: .groups),
      epsilon: try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-5,
      hasBias: try values.decodeIfPresent(Bool.self, forKey: .hasBias) ?? true)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(groups, forKey: .groups)
    if epsilon != 1e-5 { try values.encode(epsilon, forKey: .epsilon) }
    if !hasBias { try values.encode(hasBias, forKey: .hasBias) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard epsilon.isFinite, epsilon >= 0 else {
      throw site.failure("its epsilon \(epsilon) must be finite and not negative")
    }
    try site.require(groups, in: 1...Limits.channels, "number of groups")
    guard site.input.channels.isMultiple(of: groups) else {
      throw site.failure("its \(site.input.channels) channels must be a multiple of its \(groups) groups")
    }
    return site.input
  }
  /// The input's, which stay a multiple of the groups.
  public var channels: ChannelFlow { groups == 1 ? .passes : .groups(groups) }
  /// Itself.
  public func with(outputChannels: Int) -> GroupNorm {
    self
  }
  /// `weight` and, unless it has none, `bias`, one number a channel.
  public var parameters: [ParameterForm] {
    [ParameterForm("weight", .normScale, [.output])] + (hasBias ? [ParameterForm("bias", .normShift, [.output])] : [])
  }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
