import Networks
import Training

/// Where the channels of width groups lie in the tensors of a network, while groups shrink.
struct AxisLayout {
  /// What an entry of a tensor does for its channel.
  enum Role {
    /// A row of a layer that puts the channel out.
    case producer
    /// A filter on the channel alone, or a gate: it scales and does not add.
    case filter
    /// A column of a layer that reads the channel.
    case reader
    /// A number of the channel: a bias, or one of a normalization.
    case number
    /// Likewise, of a filter or gate.
    case filterNumber
  }

  /// One group's part of one axis.
  struct Place: Hashable {
    var tensor: String
    var axis: Int
    var segment: Int
  }

  private struct Segment {
    var group: WidthGroup.ID?
    var channels: Int
    var positions: Int
  }

  /// The places of each group, with what they are.
  private(set) var places: [WidthGroup.ID: [(place: Place, role: Role)]] = [:]
  private var axes: [String: [Segment]] = [:]

  init(_ network: ResolvedNetwork) {
    let gates = Self.gates(network)
    for (index, layer) in network.layers.enumerated() {
      let definition = layer.layer.operation.definition
      // The slope of a PReLU is the same for a channel that stands for two. What a depthwise filter adds is not: it is added once for both.
      let isScale = gates.contains(index) || definition is LearnedSlope
      let isFilter = definition.channels == .filters || isScale
      let own = layer.layer.name
      var forms = definition.parameters.map { ($0.name(in: own), $0.dimensions) }
      if case .batchNorm = layer.layer.operation {
        forms += [("\(own).running_mean", [.output]), ("\(own).running_var", [.output])]
      }
      for (name, dimensions) in forms {
        for (axis, dimension) in dimensions.enumerated() {
          let segments: [ChannelSegment]
          let role: Role
          switch dimension {
          case .output:
            segments = layer.outputSegments
            role = dimensions.count == 1 ? (isScale ? .filterNumber : .number) : isFilter ? .filter : .producer
          case .input: (segments, role) = (network.inputSegments(of: index)[0], .reader)
          case .fixed: continue
          }
          axes[Self.key(name, axis)] = segments.map {
            // What is shared by channels belongs to none; such groups are not merged.
            $0.divisor > 1
              ? Segment(channels: $0.channels, positions: 1)
              : Segment(group: $0.group, channels: $0.channels / $0.positions, positions: $0.positions)
          }
          for (number, segment) in segments.enumerated() {
            guard let group = segment.group else { continue }
            places[group, default: []].append((Place(tensor: name, axis: axis, segment: number), role))
          }
        }
      }
    }
  }

  /// The entries along its axis that belong to a place, and how many each channel has.
  func entries(of place: Place) -> (range: Range<Int>, positions: Int) {
    let segments = axes[Self.key(place.tensor, place.axis)] ?? []
    let start = segments[..<place.segment].reduce(0) { $0 + $1.channels * $1.positions }
    let own = segments[place.segment]
    return (start..<start + own.channels * own.positions, own.positions)
  }

  /// Notes that a group has one channel less.
  mutating func shrink(_ group: WidthGroup.ID) {
    for (place, _) in places[group] ?? [] {
      axes[Self.key(place.tensor, place.axis)]?[place.segment].channels -= 1
    }
  }

  private static func key(_ tensor: String, _ axis: Int) -> String { "\(tensor) \(axis)" }

  // Layers that lead, through nothing but activations, to the second factor of a product.
  private static func gates(_ network: ResolvedNetwork) -> Set<Int> {
    var gates: Set<Int> = []
    for layer in network.layers {
      guard case .multiply = layer.layer.operation, layer.inputIndices.count == 2 else { continue }
      var index = layer.inputIndices[1]
      // A product of a layer with itself is no gate.
      guard index != layer.inputIndices[0] else { continue }
      while index >= 0, network.layers[index].layer.operation.isActivation {
        index = network.layers[index].inputIndices[0]
      }
      if index >= 0 { gates.insert(index) }
    }
    return gates
  }
}
