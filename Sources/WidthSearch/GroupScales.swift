import ImageFiles
import Networks
import Torch
import Training

/// The batch-norm scales γ that lie on the channels of each width group: what MorphNet and network slimming look at.
struct GroupScales {
  /// One batch normalization on a group's channels, or its part after a concatenation.
  struct Member {
    /// The position in the list of normalizations.
    var normalization: Int
    /// Where the part begins.
    var start: Int
    /// The part itself.
    var segment: ChannelSegment
    /// The channels of the group.
    var width: Int

    /// The elements of a channel: several after a flatten. After a split, channels at the same place of each part share theirs.
    func elements(of channel: Int) -> Range<Int> {
      let first = start + segment.firstEntry(ofChannel: channel, of: width)
      return first..<first + segment.positions
    }

    /// All channels that have the elements of one of them.
    func sharers(of channel: Int) -> [Int] {
      let part = max(1, width / segment.divisor)
      return Array(stride(from: channel % part, to: width, by: part))
    }
  }

  /// The groups, in network order.
  let groups: [WidthGroup.ID]
  /// The channels of each group.
  let widths: [Int]
  /// The normalizations on each group.
  let members: [[Member]]

  /// Where each normalization's scales begin when all stand one after the other, and where the last end.
  let starts: [Int]

  private let normalizations: [Model.Normalization]

  init(_ model: Model) {
    let resolved = model.plan.resolved
    normalizations = model.normalizations
    groups = resolved.widthGroups.map(\.id)
    widths = resolved.widthGroups.map(\.width)
    let positions = Dictionary(groups.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var members = [[Member]](repeating: [], count: groups.count)
    for (index, normalization) in normalizations.enumerated() {
      var start = 0
      for segment in resolved.layers[normalization.layer].outputSegments {
        if let group = segment.group.flatMap({ positions[$0] }) {
          members[group].append(
            Member(normalization: index, start: start, segment: segment, width: widths[group]))
        }
        start += segment.channels
      }
    }
    self.members = members
    starts = normalizations.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.scale.tensor.shape[0]) }
  }

  /// The scales as they are now: group → member → channel. After a flatten, the largest of a channel's scales.
  func read() throws -> [[[Double]]] {
    guard !normalizations.isEmpty else { return groups.map { _ in [] } }
    let all: [Float] = try withoutGradients {
      try Tensor.concatenate(normalizations.map { try $0.scale.tensor.to(.float32) }).array()
    }
    return zip(members, widths).map { members, width in
      members.map { member in
        (0..<width).map { channel in
          let first = starts[member.normalization]
          let values = member.elements(of: channel).lazy.map { all[first + $0] }
          return Double(values.max { abs($0) < abs($1) } ?? 0)
        }
      }
    }
  }

  /// One tensor a normalization, filled from numbers that are given as ``read()`` returns them; elsewhere `rest`. Where channels share an
  /// element, it has the largest of their numbers.
  func tensors(_ values: [[[Double]]], rest: Float, device: Device) throws -> [Tensor] {
    var flat = normalizations.map { [Float](repeating: rest, count: $0.scale.tensor.shape[0]) }
    for (group, width) in widths.enumerated() {
      for (position, member) in members[group].enumerated() {
        for channel in 0..<width {
          let value = member.sharers(of: channel).map { values[group][position][$0] }.max() ?? 0
          for place in member.elements(of: channel) { flat[member.normalization][place] = Float(value) }
        }
      }
    }
    return try flat.map { try Tensor($0, device: device) }
  }

  /// The scales' parameters, in network order.
  var scales: [Tensor] { normalizations.map(\.scale.tensor) }

  /// The shifts' parameters, in network order.
  var shifts: [Tensor] { normalizations.map(\.shift.tensor) }
}
