/// What one of several branches gets when they share by softmax, channel by channel: the attention of selective kernels and split-attention
/// networks (Li et al. 2019, Zhang et al. 2020).
public struct SoftmaxShare: OperationDefinition {
  /// Which of the inputs.
  public var branch: Int

  /// Creates the operation.
  public init(branch: Int) {
    self.branch = branch
  }

  private enum CodingKeys: String, CodingKey { case branch }

  /// `softmaxShare`.
  public static let kinds = ["softmaxShare"]
  /// `softmaxShare`.
  public var kind: String { "softmaxShare" }
  /// Its settings.
  public static let settingNames: [String] = ["branch"]
  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(branch: try values.decode(Int.self, forKey: .branch))
  }
  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(branch, forKey: .branch)
  }
  /// A score for each branch.
  public var arity: Arity { .several }
  /// The scores' shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard site.inputs.allSatisfy({ $0 == site.input }) else {
      throw site.failure(
        "the branches that share are of unlike shapes: \(site.inputs.map(\.description).joined(separator: ", "))")
    }
    try site.require(branch, in: 0...site.inputs.count - 1, "branch")
    return site.input
  }
  /// All are tied.
  public var channels: ChannelFlow { .ties }
  /// Itself.
  public func with(outputChannels: Int) -> SoftmaxShare { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
