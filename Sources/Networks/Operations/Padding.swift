/// Rows and columns around a map, on each side as many as are wanted: the padding that windows of the same number of zeros on both sides
/// cannot have.
public struct Padding: OperationDefinition {
  /// Rows above.
  public var top: Int
  /// Rows below.
  public var bottom: Int
  /// Columns to the left.
  public var left: Int
  /// Columns to the right.
  public var right: Int

  /// Whether the map is mirrored at its border, without its last row, as PyTorch's `ReflectionPad2d` does it; else there are zeros.
  public var isReflected: Bool

  /// Creates the operation.
  public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0, isReflected: Bool = false) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
    self.isReflected = isReflected
  }

  private enum CodingKeys: String, CodingKey { case top, bottom, left, right }

  /// `zeroPad` and `reflectPad`.
  public static let kinds = ["zeroPad", "reflectPad"]
  /// One of them.
  public var kind: String { Self.kinds[isReflected ? 1 : 0] }
  /// Its settings.
  public static let settingNames: [String] = ["top", "bottom", "left", "right"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      top: try values.decodeIfPresent(Int.self, forKey: .top) ?? 0,
      bottom: try values.decodeIfPresent(Int.self, forKey: .bottom) ?? 0,
      left: try values.decodeIfPresent(Int.self, forKey: .left) ?? 0,
      right: try values.decodeIfPresent(Int.self, forKey: .right) ?? 0,
      isReflected: kind == Self.kinds[1])
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if top != 0 { try values.encode(top, forKey: .top) }
    if bottom != 0 { try values.encode(bottom, forKey: .bottom) }
    if left != 0 { try values.encode(left, forKey: .left) }
    if right != 0 { try values.encode(right, forKey: .right) }
  }
  /// One.
  public var arity: Arity { .one }
  /// A larger map; what is mirrored is less than the map.
  public func output(at site: OperationSite) throws -> Shape {
    let rows = isReflected ? max(0, site.input.height - 1) : Limits.side
    let columns = isReflected ? max(0, site.input.width - 1) : Limits.side
    for side in [top, bottom] { try site.require(side, in: 0...rows, "padding of rows") }
    for side in [left, right] { try site.require(side, in: 0...columns, "padding of columns") }
    return Shape(
      channels: site.input.channels, height: site.input.height + top + bottom, width: site.input.width + left + right)
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> Padding { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
