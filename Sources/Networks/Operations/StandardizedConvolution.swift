/// A convolution whose filters have mean 0 and deviation 1 before they are used: what takes the place of batch normalization in NFNets
/// (Brock et al. 2021) and stands beside group normalization in BiT (Qiao et al. 2019).
public struct StandardizedConvolution: OperationDefinition {
  /// The convolution.
  public var convolution: Convolution
  /// What is added to a filter's variance.
  public var epsilon: Double
  /// Times the filters, over the root of how many numbers one has; nil for filters that stay as standardized.
  public var gamma: Double?
  /// What a learnt factor on each filter starts from; nil where there is none.
  public var initialGain: Double?

  /// Creates the operation.
  public init(_ convolution: Convolution, epsilon: Double = 1e-5, gamma: Double? = nil, initialGain: Double? = nil) {
    self.convolution = convolution
    self.epsilon = epsilon
    self.gamma = gamma
    self.initialGain = initialGain
  }

  private enum CodingKeys: String, CodingKey { case epsilon, gamma, initialGain }

  /// `standardizedConvolution`.
  public static let kinds = ["standardizedConvolution"]
  /// `standardizedConvolution`.
  public var kind: String { "standardizedConvolution" }
  /// Those of a convolution with a width of its own, and its own.
  public static let settingNames =
    Convolution.settingNames.filter { $0 != "derivedChannels" } + ["epsilon", "gamma", "initialGain"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try Convolution(from: decoder),
      epsilon: try values.decodeIfPresent(Double.self, forKey: .epsilon) ?? 1e-5,
      gamma: try values.decodeIfPresent(Double.self, forKey: .gamma),
      initialGain: try values.decodeIfPresent(Double.self, forKey: .initialGain))
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    try convolution.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    if epsilon != 1e-5 { try values.encode(epsilon, forKey: .epsilon) }
    try values.encodeIfPresent(gamma, forKey: .gamma)
    try values.encodeIfPresent(initialGain, forKey: .initialGain)
  }
  /// One.
  public var arity: Arity { .one }
  /// The filters' positions.
  public func output(at site: OperationSite) throws -> Shape {
    guard epsilon > 0, epsilon < 1, (gamma ?? 1).isFinite, (initialGain ?? 1).isFinite else {
      throw site.failure(
        "its epsilon is \(epsilon), its gamma \(gamma ?? 1); a small positive and a finite number are wanted")
    }
    return try convolution.output(at: site)
  }
  /// The convolution's.
  public var channels: ChannelFlow { convolution.channels }
  /// With another number of filters.
  public func with(outputChannels: Int) -> StandardizedConvolution {
    var changed = self
    changed.convolution.outputChannels = outputChannels
    return changed
  }
  /// The convolution's, and `gain` [filters, 1, 1, 1].
  public var parameters: [ParameterForm] {
    convolution.parameters
      + (initialGain.map {
        [ParameterForm("gain", .factor(initially: $0), [.output, .fixed(1), .fixed(1), .fixed(1)])]
      } ?? [])
  }
  /// The convolution's.
  public var multiplyAccumulates: MultiplyAccumulates { convolution.multiplyAccumulates }
}
