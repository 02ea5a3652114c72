/// Every channel convolved with the same filter, which is not learnt: the blur in front of a stride that keeps a network from aliasing
/// (Zhang 2019).
public struct FixedFilter: OperationDefinition {
  /// The filter, row by row.
  public var coefficients: [[Double]]
  /// Step between positions.
  public var stride: Extent

  /// Creates the operation.
  public init(coefficients: [[Double]], stride: Extent = 1) {
    self.coefficients = coefficients
    self.stride = stride
  }

  private enum CodingKeys: String, CodingKey { case coefficients, stride }

  /// `fixedFilter`.
  public static let kinds = ["fixedFilter"]
  /// `fixedFilter`.
  public var kind: String { "fixedFilter" }
  /// Its settings.
  public static let settingNames: [String] = ["coefficients", "stride"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      coefficients: try values.decode([[Double]].self, forKey: .coefficients),
      stride: try values.decodeIfPresent(Extent.self, forKey: .stride) ?? 1)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(coefficients, forKey: .coefficients)
    if stride != 1 { try values.encode(stride, forKey: .stride) }
  }
  /// Height and width of the filter.
  public var kernelSize: Extent { Extent(height: coefficients.count, width: coefficients.first?.count ?? 0) }
  /// One.
  public var arity: Arity { .one }
  /// The filter's positions.
  public func output(at site: OperationSite) throws -> Shape {
    guard coefficients.allSatisfy({ $0.count == kernelSize.width && $0.allSatisfy(\.isFinite) }) else {
      throw site.failure("its coefficients are no rows of equally many finite numbers")
    }
    return try site.sliding(.init(kernelSize: kernelSize, stride: stride, padding: 0), channels: site.input.channels)
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> FixedFilter { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// The window, for each channel.
  public var multiplyAccumulates: MultiplyAccumulates { .depthwise(window: kernelSize) }
}
