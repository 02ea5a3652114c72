import Support

/// A convolutional network as a value: what is computed, in which order, at which widths. It holds no weights.
///
/// A network is checked once, by ``resolved()``; everything that needs shapes or width groups goes through it.
public struct Network: Codable, Hashable, Sendable {
  /// The name that users know it by, for example `resnet18`.
  public var name: String
  /// The size of one input image.
  public var input: Shape
  /// The layers, each after the layers that it reads.
  public var layers: [Layer]
  /// The parts of the network whose blocks repeat, in network order; layers outside belong to the stem or the head.
  public var stages: [Stage]
  /// Layers whose output channels keep their number, whatever is scaled or searched; all channels tied to theirs do too.
  public var fixed: Set<String>
  /// Layers whose output channels are to be of one number though nothing in the graph asks for it, each list in network order; all channels
  /// tied to theirs are.
  public var tied: [[String]]

  /// Creates a network; nothing is checked until it is resolved.
  public init(
    name: String, input: Shape, layers: [Layer], stages: [Stage] = [], fixed: Set<String> = [],
    tied: [[String]] = []
  ) {
    self.name = name
    self.input = input
    self.layers = layers
    self.stages = stages
    self.fixed = fixed
    self.tied = tied
  }

  /// The name by which layers refer to the input image.
  public static let inputName = "input"
}

/// One step of a network.
public struct Layer: Codable, Hashable, Sendable {
  /// The prefix of its parameters in a PyTorch state dict, for example `layer1.0.conv1`; unique in the network.
  public var name: String
  /// What it computes.
  public var operation: Operation
  /// The layers that it reads, in order; the image is called `"input"`.
  public var inputs: [String]
  /// The output channels that scaling came to before it rounded them; nil when nothing was rounded.
  ///
  /// A network that is scaled again is scaled from here: 1.414 and then 0.5 are 0.707, as in the paper's table of overheads, and
  /// not twice rounded.
  public var unrounded: Double?

  /// Creates a layer.
  public init(name: String, operation: Operation, inputs: [String], unrounded: Double? = nil) {
    self.name = name
    self.operation = operation
    self.inputs = inputs
    self.unrounded = unrounded
  }
}

/// A run of similar blocks, usually at one resolution.
public struct Stage: Codable, Hashable, Sendable {
  /// For example `layer1`.
  public var name: String
  /// The blocks, in network order.
  public var blocks: [Block]

  /// Creates a stage.
  public init(name: String, blocks: [Block]) {
    self.name = name
    self.blocks = blocks
  }
}

/// The unit that is repeated to make a network deeper.
public struct Block: Codable, Hashable, Sendable {
  /// The prefix that its layers share, for example `layer1.0`.
  public var name: String
  /// The names of its layers, in network order.
  public var layers: [String]

  /// Creates a block.
  public init(name: String, layers: [String]) {
    self.name = name
    self.layers = layers
  }
}

extension Layer {
  private enum CodingKeys: String, CodingKey, CaseIterable { case name, operation, inputs, unrounded }

  /// Reads a layer; what is wrong inside is reported with the layer's name.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a layer")
    let name = try values.decode(String.self, forKey: .name)
    do {
      self.init(
        name: name, operation: try values.decode(Operation.self, forKey: .operation),
        inputs: try values.decode([String].self, forKey: .inputs),
        unrounded: try values.decodeIfPresent(Double.self, forKey: .unrounded))
    } catch let error as DecodingError {
      throw NetworkFailure(layer: name, error.place)
    }
    if let unrounded, !(unrounded > 0 && unrounded <= Double(Limits.channels)) {
      throw NetworkFailure(
        layer: name, "`unrounded` is \(unrounded), it must be above 0 and at most \(Limits.channels)")
    }
  }
}

extension Network {
  private enum CodingKeys: String, CodingKey, CaseIterable { case name, input, layers, stages, fixed, tied }

  /// Reads a network; it need not have stages, fixed or tied layers.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a network")
    self.init(
      name: try values.decode(String.self, forKey: .name), input: try values.decode(Shape.self, forKey: .input),
      layers: try values.decode([Layer].self, forKey: .layers),
      stages: try values.decodeIfPresent([Stage].self, forKey: .stages) ?? [],
      fixed: Set(try values.decodeIfPresent([String].self, forKey: .fixed) ?? []),
      tied: try values.decodeIfPresent([[String]].self, forKey: .tied) ?? [])
  }

  /// Writes a network; equal ones give equal documents.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(input, forKey: .input)
    try values.encode(layers, forKey: .layers)
    try values.encode(stages, forKey: .stages)
    if !fixed.isEmpty { try values.encode(fixed.sorted(), forKey: .fixed) }
    if !tied.isEmpty { try values.encode(tied, forKey: .tied) }
  }
}

extension Stage {
  private enum CodingKeys: String, CodingKey, CaseIterable { case name, blocks }

  /// Reads a stage.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a stage")
    self.init(
      name: try values.decode(String.self, forKey: .name), blocks: try values.decode([Block].self, forKey: .blocks))
  }
}

extension Block {
  private enum CodingKeys: String, CodingKey, CaseIterable { case name, layers }

  /// Reads a block.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a block")
    self.init(
      name: try values.decode(String.self, forKey: .name), layers: try values.decode([String].self, forKey: .layers))
  }
}
