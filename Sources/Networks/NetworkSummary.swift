/// What `inspect` shows: layers, shapes, width groups, stages and cost of a network. Its JSON is a contract of the
/// command line.
public struct NetworkSummary: Codable, Hashable, Sendable {
  /// The network's name.
  public var network: String
  /// `[channels, height, width]` of the image.
  public var input: [Int]
  /// Multiply-accumulates of one image.
  public var macs: Int
  /// Learnable parameters.
  public var parameters: Int
  /// Numbers that convolutions and linear layers put out for one image.
  public var activations: Int
  /// Seconds of one image by a latency table; nil without one.
  public var latency: Double?
  /// The layers in order of computation.
  public var layers: [Row]
  /// The groups of tied channels in network order.
  public var widthGroups: [Group]
  /// The stages in network order.
  public var stages: [StageRow]

  /// One layer.
  public struct Row: Codable, Hashable, Sendable {
    /// The prefix of its parameters in a state dict.
    public var name: String
    /// What it computes.
    public var kind: String
    /// `[channels, height, width]` of what it puts out.
    public var output: [Int]
    /// Its multiply-accumulates for one image.
    public var macs: Int
    /// Its learnable parameters.
    public var parameters: Int
    /// Seconds of one image by a latency table, with those of the normalization and the activation behind it that are computed with
    /// it; nil for a layer that takes no time of its own, and without a table.
    public var latency: Double?
    /// The group of its output channels; nil for fixed and derived numbers and for concatenations.
    public var widthGroup: String?
  }

  /// One width group.
  public struct Group: Codable, Hashable, Sendable {
    /// The name of its first producing layer.
    public var id: String
    /// Its number of channels.
    public var width: Int
    /// The layers that put out these channels.
    public var layers: [String]
    /// The index of its stage.
    public var stage: Int?
    /// The index of its block in the stage.
    public var block: Int?
    /// True when the network fixes its width; else nil.
    public var fixed: Bool?
    /// What its width is a multiple of, beside grouped convolutions and splits; nil where it may be any number.
    public var granularity: Int?
  }

  /// One stage.
  public struct StageRow: Codable, Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its blocks.
    public var blocks: [BlockRow]
  }

  /// One block.
  public struct BlockRow: Codable, Hashable, Sendable {
    /// The names of its layers.
    public var layers: [String]
  }

  /// Summarizes a resolved network.
  ///
  /// - Parameter table: How long its layers take, where that is to be shown.
  public init(_ resolved: ResolvedNetwork, by table: LatencyTable? = nil) {
    let times = table?.secondsByLayer(of: resolved) ?? [:]
    latency = table?.seconds(of: resolved)
    let total = resolved.cost
    network = resolved.network.name
    input = resolved.network.input.dimensions
    macs = total.macs
    parameters = total.parameters
    activations = total.activations
    layers = resolved.layers.enumerated().map { index, layer in
      Row(
        name: layer.layer.name, kind: layer.layer.operation.kind, output: layer.output.dimensions,
        macs: layer.cost.macs, parameters: layer.cost.parameters, latency: times[index], widthGroup: layer.group)
    }
    let fixed = Set(resolved.fixedGroups.map(\.id))
    widthGroups = resolved.allGroups.map {
      Group(
        id: $0.id, width: $0.width, layers: $0.layers, stage: $0.stage, block: $0.block,
        fixed: fixed.contains($0.id) ? true : nil, granularity: $0.granularity > 1 ? $0.granularity : nil)
    }
    stages = resolved.network.stages.map { stage in
      StageRow(name: stage.name, blocks: stage.blocks.map { BlockRow(layers: $0.layers) })
    }
  }

  /// Summarizes a network.
  ///
  /// - Throws: ``NetworkFailure`` when the network is invalid.
  public init(_ network: Network) throws { self.init(try network.resolved()) }
}

// The keys are a contract, so that a group without a stage says `null` instead of leaving the key out.
extension NetworkSummary.Row {
  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(kind, forKey: .kind)
    try values.encode(output, forKey: .output)
    try values.encode(macs, forKey: .macs)
    try values.encode(parameters, forKey: .parameters)
    try values.encodeIfPresent(latency, forKey: .latency)
    try values.encode(widthGroup, forKey: .widthGroup)
  }
}

extension NetworkSummary.Group {
  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(id, forKey: .id)
    try values.encode(width, forKey: .width)
    try values.encode(layers, forKey: .layers)
    try values.encode(stage, forKey: .stage)
    try values.encode(block, forKey: .block)
    try values.encodeIfPresent(fixed, forKey: .fixed)
    try values.encodeIfPresent(granularity, forKey: .granularity)
  }
}
