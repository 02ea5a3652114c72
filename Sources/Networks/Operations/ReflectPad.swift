/// A map with its own rows and columns around it, mirrored at the border, as PyTorch's `ReflectionPad2d`: the last row is not repeated.
public struct ReflectPad: OperationDefinition {
  /// Rows above.
  public var top: Int
  /// Rows below.
  public var bottom: Int
  /// Columns to the left.
  public var left: Int
  /// Columns to the right.
  public var right: Int

  /// Creates the operation.
  public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }

  private enum CodingKeys: String, CodingKey { case top, bottom, left, right }

  /// `reflectPad`.
  public static let kinds = ["reflectPad"]
  /// `reflectPad`.
  public var kind: String { "reflectPad" }
  /// Its settings.
  public static let settingNames: [String] = ["top", "bottom", "left", "right"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      top: try values.decodeIfPresent(Int.self, forKey: .top) ?? 0,
      bottom: try values.decodeIfPresent(Int.self, forKey: .bottom) ?? 0,
      left: try values.decodeIfPresent(Int.self, forKey: .left) ?? 0,
      right: try values.decodeIfPresent(Int.self, forKey: .right) ?? 0)
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
  /// A larger map; each side's rows are fewer than the map's own.
  public func output(at site: OperationSite) throws -> Shape {
    for side in [top, bottom] { try site.require(side, in: 0...max(0, site.input.height - 1), "padding of rows") }
    for side in [left, right] { try site.require(side, in: 0...max(0, site.input.width - 1), "padding of columns") }
    return Shape(
      channels: site.input.channels, height: site.input.height + top + bottom, width: site.input.width + left + right)
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> ReflectPad { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
