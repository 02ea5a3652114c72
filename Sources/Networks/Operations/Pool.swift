/// A sliding window that takes the maximum or the mean, as in PyTorch's `MaxPool2d` and `AvgPool2d`.
public struct Pool: Hashable, Sendable {
  /// Height and width of the window.
  public var kernelSize: Extent
  /// Step between windows.
  public var stride: Extent
  /// Border added on both sides of each direction.
  public var padding: Extent
  /// Whether a last, incomplete window counts (PyTorch's `ceil_mode`).
  public var roundsUp: Bool
  /// Whether a mean counts the border as zeros (PyTorch's `count_include_pad`); no meaning for a maximum.
  public var countsPadding: Bool

  /// Creates a pool; the stride defaults to the window.
  public init(
    kernelSize: Extent, stride: Extent? = nil, padding: Extent = 0, roundsUp: Bool = false, countsPadding: Bool = true
  ) {
    self.kernelSize = kernelSize
    self.stride = stride ?? kernelSize
    self.padding = padding
    self.roundsUp = roundsUp
    self.countsPadding = countsPadding
  }
}

extension Pool: Codable {
  private enum CodingKeys: String, CodingKey { case kernelSize, stride, padding, roundsUp, countsPadding }

  /// Reads a pool with the initializer's defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      kernelSize: try values.decode(Extent.self, forKey: .kernelSize),
      stride: try values.decodeIfPresent(Extent.self, forKey: .stride),
      padding: try values.decodeIfPresent(Extent.self, forKey: .padding) ?? 0,
      roundsUp: try values.decodeIfPresent(Bool.self, forKey: .roundsUp) ?? false,
      countsPadding: try values.decodeIfPresent(Bool.self, forKey: .countsPadding) ?? true)
  }

  /// Writes what differs from the defaults.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kernelSize, forKey: .kernelSize)
    if stride != kernelSize { try values.encode(stride, forKey: .stride) }
    if padding != 0 { try values.encode(padding, forKey: .padding) }
    if roundsUp { try values.encode(roundsUp, forKey: .roundsUp) }
    if !countsPadding { try values.encode(countsPadding, forKey: .countsPadding) }
  }
}

/// A mean over a grid of windows that cover any input, as in PyTorch's `AdaptiveAvgPool2d`.
public struct AdaptivePool: Codable, Hashable, Sendable {
  /// Rows of the output.
  public var height: Int
  /// Columns of the output.
  public var width: Int

  /// Creates an adaptive pool with this output size.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }
}

extension Pool {
  /// The shape after sliding the window over the input.
  func output(at site: OperationSite) throws -> Shape {
    guard padding.height <= kernelSize.height / 2, padding.width <= kernelSize.width / 2 else {
      throw site.failure("a pool may be padded by half its window at most")
    }
    return try site.sliding(
      .init(kernelSize: kernelSize, stride: stride, padding: padding, roundsUp: roundsUp), channels: site.input.channels
    )
  }
}

extension AdaptivePool: OperationDefinition {
  /// `adaptiveAveragePool`.
  public static let kinds = ["adaptiveAveragePool"]
  /// `adaptiveAveragePool`.
  public var kind: String { "adaptiveAveragePool" }
  /// Its settings.
  public static let settingNames: [String] = ["height", "width"]
  /// Reads the output's size.
  public init(kind: String, settingsFrom decoder: any Decoder) throws { try self.init(from: decoder) }
  /// Writes the output's size.
  public func encodeSettings(to encoder: any Encoder) throws { try encode(to: encoder) }
  /// One.
  public var arity: Arity { .one }

  /// The grid.
  public func output(at site: OperationSite) throws -> Shape {
    try site.require(height, in: 1...Limits.side, "output height")
    try site.require(width, in: 1...Limits.side, "output width")
    return Shape(channels: site.input.channels, height: height, width: width)
  }

  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> AdaptivePool { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
