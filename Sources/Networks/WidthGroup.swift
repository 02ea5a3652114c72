/// Channels that must be equal: tied by residual additions, depthwise convolutions or squeeze-excite products.
///
/// It is the unit that every width optimizer decides on. Groups are found in the graph, never listed by hand; channels
/// of a fixed size (the image's, the classifier's outputs) belong to no group.
public struct WidthGroup: Codable, Hashable, Sendable, Identifiable {
  /// The name of the group's first producing layer in network order.
  public typealias ID = String

  /// The name of its first producing layer in network order, for example `layer1.0.conv1`.
  public var id: ID
  /// Number of channels.
  public var width: Int
  /// The layers that put out these channels (convolutions, depthwise ones included, and linear layers), in network order.
  public var layers: [String]
  /// The index of its stage; nil for the stem, the head and networks without stages.
  public var stage: Int?
  /// The index of its block in the stage; nil when it belongs to the stage as a whole.
  public var block: Int?
  /// Its place in the block: `out` for what the block puts out, `inner` (`inner1`, `inner2`, …) or `hidden` (expanded
  /// width before a depthwise convolution) inside; `stem` and `head` outside of the stages.
  public var role: String
  /// Widths must be multiples of this; 1 except beside grouped convolutions.
  public var granularity: Int

  /// Creates a width group.
  public init(
    id: ID, width: Int, layers: [String], stage: Int? = nil, block: Int? = nil, role: String, granularity: Int = 1
  ) {
    self.id = id
    self.width = width
    self.layers = layers
    self.stage = stage
    self.block = block
    self.role = role
    self.granularity = granularity
  }

  /// Where it sits, whatever its layers are called: what width transfer maps one network to another by.
  public var address: Address { Address(stage: stage, block: block, role: role) }

  /// What its widths are rounded to where channel counts are to be multiples of `divisor`: of both that and ``granularity``, or, where few
  /// numbers are, the multiple of the granularity that is nearest to the divisor.
  ///
  /// RegNet's groups of 55 beside a divisor of 8 would else leave multiples of 440, which is the whole layer.
  public func step(divisor: Int) -> Int {
    let both = leastCommonMultiple(divisor, granularity)
    if both / 2 <= max(divisor, granularity) { return both }
    return granularity * max(1, (2 * divisor / granularity + 1) / 2)
  }

  /// Stage, block and role of a width group.
  public struct Address: Codable, Hashable, Sendable {
    /// The index of the stage.
    public var stage: Int?
    /// The index of the block in the stage.
    public var block: Int?
    /// The place in the block.
    public var role: String

    /// Creates an address.
    public init(stage: Int?, block: Int?, role: String) {
      self.stage = stage
      self.block = block
      self.role = role
    }
  }
}
