/// One number that is learnt, by which all of a tensor is multiplied or that is added to all of it: the affine block of HGNetV2.
public struct LearnedNumber: OperationDefinition {
  /// Whether it is added; else it multiplies.
  public var isShift: Bool
  /// What it starts from.
  public var initialValue: Double
  /// The dimensions of the tensor in files: 1 for `[1]`, 0 for `[]`.
  public var rank: Int

  /// Creates the operation.
  public init(isShift: Bool = false, initialValue: Double? = nil, rank: Int = 1) {
    self.isShift = isShift
    self.initialValue = initialValue ?? (isShift ? 0 : 1)
    self.rank = rank
  }

  private enum CodingKeys: String, CodingKey { case initialValue, rank }

  /// `learnedFactor` and `learnedShift`.
  public static let kinds = ["learnedFactor", "learnedShift"]
  /// `learnedFactor` or `learnedShift`.
  public var kind: String { isShift ? "learnedShift" : "learnedFactor" }
  /// Its settings.
  public static let settingNames: [String] = ["initialValue", "rank"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      isShift: kind == "learnedShift",
      initialValue: try values.decodeIfPresent(Double.self, forKey: .initialValue),
      rank: try values.decodeIfPresent(Int.self, forKey: .rank) ?? 1)
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if initialValue != (isShift ? 0 : 1) { try values.encode(initialValue, forKey: .initialValue) }
    if rank != 1 { try values.encode(rank, forKey: .rank) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard initialValue.isFinite else { throw site.failure("its initial value \(initialValue) must be finite") }
    guard rank == 0 || rank == 1 else { throw site.failure("its rank is \(rank), and 0 or 1 is wanted") }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> LearnedNumber {
    self
  }
  /// One tensor of one number, under the name of the layer itself.
  public var parameters: [ParameterForm] {
    // The tensor has the layer's own name: PyTorch registers it as a parameter and not as a module.
    [ParameterForm("", .factor(initially: initialValue), rank == 1 ? [.fixed(1)] : [])]
  }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
