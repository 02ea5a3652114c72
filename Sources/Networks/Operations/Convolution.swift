import Support

/// A two-dimensional convolution; the number of input channels follows from the graph.
public struct Convolution: Hashable, Sendable {
  /// Number of filters.
  public var outputChannels: Int
  /// Height and width of a filter.
  public var kernelSize: Extent
  /// Step between positions.
  public var stride: Extent
  /// Zeros added on both sides of each direction.
  public var padding: Extent
  /// Distance between the taps of a filter.
  public var dilation: Extent
  /// Which input channels a filter sees.
  public var grouping: Grouping
  /// Whether a learnable number is added to each output channel.
  public var hasBias: Bool
  /// The rule that ``outputChannels`` follows when the layer has no width of its own (squeeze-excite bottlenecks).
  public var derivedChannels: DerivedChannels?

  /// Creates a convolution.
  public init(
    outputChannels: Int, kernelSize: Extent, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1,
    grouping: Grouping = .dense, hasBias: Bool = false, derivedChannels: DerivedChannels? = nil
  ) {
    self.outputChannels = outputChannels
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.grouping = grouping
    self.hasBias = hasBias
    self.derivedChannels = derivedChannels
  }

  /// How the channels of a convolution are connected.
  ///
  /// Stated, never inferred from counts: a convolution from one channel to one is not depthwise, and a depthwise one
  /// that was narrowed to one channel still is.
  public enum Grouping: Hashable, Sendable {
    /// Every filter sees every input channel.
    case dense
    /// Filter `c` sees input channel `c` alone; there are as many filters as input channels.
    case depthwise
    /// Channels fall into so many equal groups that do not see each other (ResNeXt).
    case grouped(Int)
  }

  /// A width that follows from the channels of another layer: `max(1, floor(channels / divisor))`.
  ///
  /// Torchvision's squeeze-excite bottleneck has a quarter of the block's input channels. It is no width group: when the
  /// group that it is derived from changes, it follows.
  public struct DerivedChannels: Codable, Hashable, Sendable {
    /// The layer whose output channels count, or `"input"`.
    public var source: String
    /// What they are divided by.
    public var divisor: Int

    /// Creates the rule.
    public init(source: String, divisor: Int) {
      self.source = source
      self.divisor = divisor
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case source, divisor }

    /// Reads the rule.
    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(withOnly: CodingKeys.self, of: "derivedChannels")
      self.init(
        source: try values.decode(String.self, forKey: .source), divisor: try values.decode(Int.self, forKey: .divisor))
    }

    /// The derived number of channels; `divisor` must be positive.
    public func channels(ofSource sourceChannels: Int) -> Int {
      LeastChannels.part(of: sourceChannels, divisor: divisor)
    }
  }

  /// The number of channel groups, as PyTorch counts them, for so many input channels.
  public func groups(inputChannels: Int) -> Int {
    switch grouping {
    case .dense: 1
    case .depthwise: inputChannels
    case .grouped(let count): count
    }
  }
}

extension Convolution: Codable {
  private enum CodingKeys: String, CodingKey {
    case outputChannels, kernelSize, stride, padding, dilation, grouping, hasBias, derivedChannels
  }

  /// Reads a convolution; stride and dilation default to 1, padding to 0, the rest as in the initializer.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      outputChannels: try values.decode(Int.self, forKey: .outputChannels),
      kernelSize: try values.decode(Extent.self, forKey: .kernelSize),
      stride: try values.decodeIfPresent(Extent.self, forKey: .stride) ?? 1,
      padding: try values.decodeIfPresent(Extent.self, forKey: .padding) ?? 0,
      dilation: try values.decodeIfPresent(Extent.self, forKey: .dilation) ?? 1,
      grouping: try values.decodeIfPresent(Grouping.self, forKey: .grouping) ?? .dense,
      hasBias: try values.decodeIfPresent(Bool.self, forKey: .hasBias) ?? false,
      derivedChannels: try values.decodeIfPresent(DerivedChannels.self, forKey: .derivedChannels))
  }

  /// Writes what differs from the defaults.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(outputChannels, forKey: .outputChannels)
    try values.encode(kernelSize, forKey: .kernelSize)
    if stride != 1 { try values.encode(stride, forKey: .stride) }
    if padding != 0 { try values.encode(padding, forKey: .padding) }
    if dilation != 1 { try values.encode(dilation, forKey: .dilation) }
    if grouping != .dense { try values.encode(grouping, forKey: .grouping) }
    if hasBias { try values.encode(hasBias, forKey: .hasBias) }
    try values.encodeIfPresent(derivedChannels, forKey: .derivedChannels)
  }
}

extension Convolution.Grouping: Codable {
  /// Reads `"dense"`, `"depthwise"` or the number of groups.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let count = try? container.decode(Int.self) {
      self = .grouped(count)
      return
    }
    switch try container.decode(String.self) {
    case "dense": self = .dense
    case "depthwise": self = .depthwise
    case let other:
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "grouping is \"dense\", \"depthwise\" or a number, not \"\(other)\"")
    }
  }

  /// Writes `"dense"`, `"depthwise"` or the number of groups.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .dense: try container.encode("dense")
    case .depthwise: try container.encode("depthwise")
    case .grouped(let count): try container.encode(count)
    }
  }
}

extension Convolution: OperationDefinition {
  /// `convolution`.
  public static let kinds = ["convolution"]
  /// `convolution`.
  public var kind: String { "convolution" }
  /// Its settings.
  public static let settingNames: [String] = [
    "outputChannels", "kernelSize", "stride", "padding", "dilation", "grouping", "hasBias", "derivedChannels",
  ]
  /// Reads a convolution.
  public init(kind: String, settingsFrom decoder: any Decoder) throws { try self.init(from: decoder) }
  /// Writes what differs from the defaults.
  public func encodeSettings(to encoder: any Encoder) throws { try encode(to: encoder) }
  /// One.
  public var arity: Arity { .one }

  /// The filters' positions, with a channel for each.
  public func output(at site: OperationSite) throws -> Shape {
    let input = site.input
    try site.require(outputChannels, in: 1...Limits.channels, "number of output channels")
    switch grouping {
    case .dense: break
    case .depthwise:
      guard outputChannels == input.channels else {
        throw site.failure(
          "a depthwise convolution has as many outputs as inputs, but it has \(outputChannels) and reads "
            + "\(input.channels) channels")
      }
    case .grouped(let groups):
      try site.require(groups, in: 1...Limits.channels, "number of groups")
      guard input.channels.isMultiple(of: groups), outputChannels.isMultiple(of: groups) else {
        throw site.failure(
          "its \(input.channels) input and \(outputChannels) output channels must be multiples of its "
            + "\(groups) groups")
      }
    }
    return try site.sliding(
      .init(kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation), channels: outputChannels)
  }

  /// Channels of its own, or those of its input for a depthwise one.
  public var channels: ChannelFlow {
    switch grouping {
    case .dense: .produces(follows: derivedChannels)
    case .depthwise: .filters
    case .grouped(let groups): .produces(multiplesOf: groups, follows: derivedChannels)
    }
  }

  /// The convolution with another number of filters.
  public func with(outputChannels: Int) -> Convolution {
    var changed = self
    changed.outputChannels = outputChannels
    return changed
  }

  /// `weight` [filters, input channels of a filter, rows, columns] and `bias`.
  public var parameters: [ParameterForm] {
    let inputs: ParameterForm.Dimension =
      switch grouping {
      case .dense: .input()
      case .depthwise: .fixed(1)
      case .grouped(let groups): .input(dividedBy: groups)
      }
    let weight = ParameterForm(
      "weight", .weight, [.output, inputs, .fixed(kernelSize.height), .fixed(kernelSize.width)])
    return hasBias ? [weight, ParameterForm("bias", .bias, [.output])] : [weight]
  }

  /// The window, for each input channel that a filter sees.
  public var multiplyAccumulates: MultiplyAccumulates {
    switch grouping {
    case .dense: .dense(window: kernelSize)
    case .depthwise: .depthwise(window: kernelSize)
    case .grouped(let groups): .dense(window: kernelSize, groups: groups)
    }
  }
}
