import Support

/// A network whose shapes and width groups are known: the proof that it was checked.
///
/// Resolving visits every layer once (tens of microseconds for a ResNet18), so that a search can do it at every step.
public struct ResolvedNetwork: Sendable {
  /// What was resolved.
  public let network: Network
  /// The layers with their shapes, in the order of `network.layers`.
  public let layers: [ResolvedLayer]
  /// The groups of tied channels whose number may be chosen, in network order.
  public let widthGroups: [WidthGroup]
  /// The groups of tied channels, fixed ones included, in network order.
  public let allGroups: [WidthGroup]
  /// What the network costs for one image.
  public let cost: Cost

  let indices: [String: Int]

  /// The network's name.
  public var name: String { network.name }
  /// The shape of the image.
  public var input: Shape { network.input }

  /// The position of the layer called `name`.
  public func index(of name: String) -> Int? { indices[name] }

  /// The layer called `name`.
  public subscript(name: String) -> ResolvedLayer? { indices[name].map { layers[$0] } }

  /// The width of every group, fixed ones included, in network order.
  public var widths: Widths {
    allGroups.reduce(into: [:]) { $0[$1.id] = $1.width }
  }

  /// The same network with other channel counts, checked; groups that `widths` leaves out keep theirs.
  ///
  /// - Throws: ``NetworkFailure`` when a group is unknown or a width impossible.
  public func with(_ widths: Widths) throws -> ResolvedNetwork { try network(with: widths).resolved() }

  /// The same network for square images of `resolution` pixels, checked.
  ///
  /// - Throws: ``NetworkFailure`` when the network does not suit the resolution.
  public func at(resolution: Int) throws -> ResolvedNetwork {
    input.height == resolution && input.width == resolution ? self : try network.at(resolution: resolution).resolved()
  }

  /// The network with the number of blocks of each stage multiplied, as ``Network/scalingDepth(by:)`` does, checked.
  public func scalingDepth(by factor: Double) throws -> ResolvedNetwork {
    let scaled = try network.scalingDepth(by: factor)
    return scaled == network ? self : try scaled.resolved()
  }

  /// The network at another depth; a factor that leaves every stage as it is is refused, as it would be recorded as a change.
  ///
  /// - Parameter asked: What was asked for, in words.
  /// - Throws: ``Support/UsageFailure`` that says how many blocks the stages have; as ``scalingDepth(by:)``.
  public func changingDepth(by factor: Double, asked: String) throws -> ResolvedNetwork {
    let scaled = try scalingDepth(by: factor)
    guard factor == 1 || scaled.layers.count != layers.count else {
      let blocks = network.stages.map { "\($0.blocks.count)" }.joined(separator: ", ")
      throw UsageFailure(
        "\(asked) changes nothing: \(name) has " + (blocks.isEmpty ? "no stages" : "stages of \(blocks) blocks")
          + "; leave depth out")
    }
    return scaled
  }

  /// The group with this id.
  public func widthGroup(_ id: WidthGroup.ID) -> WidthGroup? { widthGroups.first { $0.id == id } }

  /// Where the channels that a layer reads come from, for each of its inputs.
  public func inputSegments(of index: Int) -> [[ChannelSegment]] {
    layers[index].inputIndices.map { $0 < 0 ? imageSegments : layers[$0].outputSegments }
  }

  /// The batch norms on the channels of a group, in network order.
  ///
  /// One that follows a concatenation covers several groups and is listed for each.
  public func batchNorms(on group: WidthGroup.ID) -> [String] {
    layers.filter { layer in
      guard case .batchNorm = layer.layer.operation else { return false }
      return layer.outputSegments.contains { $0.group == group }
    }.map(\.layer.name)
  }

  /// The shape of the network's output.
  public var output: Shape { layers.last?.output ?? network.input }

  private var imageSegments: [ChannelSegment] { [ChannelSegment(group: nil, channels: network.input.channels)] }
}

/// A layer whose shapes are known.
public struct ResolvedLayer: Sendable, Hashable {
  /// The layer itself.
  public let layer: Layer
  /// The positions of its inputs in the list of layers; -1 for the image.
  public let inputIndices: [Int]
  /// The shapes of its inputs.
  public let inputs: [Shape]
  /// The shape of its output.
  public let output: Shape
  /// Whose channels its output holds, in order; several only after a concatenation.
  public let outputSegments: [ChannelSegment]
  /// What the layer costs for one image.
  public let cost: Cost

  /// The group of its output when there is just one.
  public var group: WidthGroup.ID? { outputSegments.count == 1 ? outputSegments[0].group : nil }
}

/// Neighbouring channels of a tensor that belong to one width group.
public struct ChannelSegment: Sendable, Hashable {
  /// The group, or nil for channels of a fixed or derived number.
  public let group: WidthGroup.ID?
  /// How many entries of the channel dimension the segment covers: `width × positions / divisor`.
  public let channels: Int
  /// Entries for each ``divisor`` channels of the group: 1, or height × width after a flatten of feature maps.
  public let positions: Int
  /// How many channels of the group have ``positions`` entries: 1, or more after a split, 2 where it is in halves.
  public let divisor: Int

  /// Creates a segment.
  public init(group: WidthGroup.ID?, channels: Int, positions: Int = 1, divisor: Int = 1) {
    self.group = group
    self.channels = channels
    self.positions = positions
    self.divisor = divisor
  }

  /// The entries at another width of the group, which must be one of its multiples.
  public func channels(at width: Int) -> Int { width * positions / divisor }

  /// The first entry of a channel of the group, which has ``positions`` from there on. After a split, channels at the same place of each
  /// part share them.
  ///
  /// - Parameter width: The channels of the group.
  public func firstEntry(ofChannel channel: Int, of width: Int) -> Int { channel % max(1, width / divisor) * positions }
}

extension Network {
  /// Infers every shape, finds the width groups and checks the whole.
  ///
  /// - Throws: ``NetworkFailure`` that names the layer at fault.
  public func resolved() throws -> ResolvedNetwork {
    Network.observer?()
    var resolver = Resolver(self)
    return try resolver.resolve()
  }

  /// Called at every resolution, so that tests can count them: each network is to be resolved once.
  @TaskLocal package static var observer: (@Sendable () -> Void)?

  /// The groups of tied channels, in network order.
  ///
  /// - Throws: ``NetworkFailure`` when the network is invalid. Resolve once and ask the result when more is needed.
  public var widthGroups: [WidthGroup] { get throws { try resolved().widthGroups } }

  /// The width of every group.
  ///
  /// - Throws: ``NetworkFailure`` when the network is invalid.
  public var widths: Widths { get throws { try resolved().widths } }
}

extension ResolvedNetwork: Hashable {
  /// Whether both are of equal networks.
  public static func == (a: ResolvedNetwork, b: ResolvedNetwork) -> Bool { a.network == b.network }
  /// Feeds the network to a hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(network) }
}
