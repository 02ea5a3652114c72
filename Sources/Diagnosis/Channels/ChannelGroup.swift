/// Channels whose weight norms are followed together, and where their weights are.
public struct ChannelGroup: Identifiable, Hashable, Sendable {
  /// What the channels are.
  public enum Kind: String, Hashable, Codable, Sendable {
    /// All that is tied: a width group, the unit that widths are decided on.
    case group
    /// Those that one layer puts out, where a group has several layers: the unit of per-layer figures.
    case layer
  }

  /// The id of the width group, or the name of the layer.
  public var id: String
  /// What the channels are.
  public var kind: Kind
  /// The numbers of its layers as figures have them, from 1; see ``Networks/ResolvedNetwork/layerNumbers``.
  public var numbers: [Int]
  /// Number of channels.
  public var width: Int
  /// Where the weights of the channels are: tensors of two or more axes.
  public var slices: [ChannelSlice]

  /// Describes a group.
  public init(id: String, kind: Kind = .group, numbers: [Int] = [], width: Int, slices: [ChannelSlice]) {
    self.id = id
    self.kind = kind
    self.numbers = numbers
    self.width = width
    self.slices = slices
  }
}
