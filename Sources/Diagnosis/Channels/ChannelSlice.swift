/// The part of a named tensor that belongs to the channels of one group: along one axis, some entries for each channel.
///
/// It names a tensor and holds none, so that what is computed from slices works on a model, on a file of weights and on networks that
/// are no ``Networks/Network`` at all.
public struct ChannelSlice: Hashable, Codable, Sendable {
  /// Whether a channel's entries compute it or read it.
  public enum Side: String, Hashable, Codable, Sendable {
    /// What the channel is computed with: the rows of the layer that puts it out.
    case incoming
    /// What reads the channel: columns of the layers behind it.
    case outgoing
  }

  /// The tensor's state-dict name, for example `layer1.0.conv1.weight`.
  public var tensor: String
  /// The axis along which the channels lie.
  public var axis: Int
  /// The first entry along the axis that belongs to the group's first channel.
  public var offset: Int
  /// Neighbouring entries along the axis for each channel: more than 1 where feature maps were flattened.
  public var positions: Int
  /// Where the axis is the input axis of a grouped convolution, the number of its groups; 1 elsewhere.
  ///
  /// Such an axis is as long as one group's part of the input, and the rows of the tensor say which part.
  public var blocks: Int
  /// Which side of the channels it is.
  public var side: Side
  /// Whether the tensor is the projection of a shortcut, which the reference metric leaves out.
  public var isProjection: Bool

  /// Describes a slice.
  public init(
    tensor: String, axis: Int, offset: Int = 0, positions: Int = 1, blocks: Int = 1, side: Side,
    isProjection: Bool = false
  ) {
    self.tensor = tensor
    self.axis = axis
    self.offset = offset
    self.positions = positions
    self.blocks = blocks
    self.side = side
    self.isProjection = isProjection
  }
}
