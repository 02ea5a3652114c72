/// What the weights of a channel are summed up to: `u(i)` of channel i.
public enum NormMode: String, CaseIterable, Codable, Hashable, Sendable {
  /// The product of the norms of its slices in all tensors, as the released code of Chen, Bu, Yan (2024) has it.
  case product
  /// The norm of all that computes the channel.
  case incoming
  /// The norm of all that reads the channel.
  case outgoing
  /// The geometric mean of the norms of its slices: to compare groups of different numbers of tensors.
  case geometric
  /// For one layer of several: the norm of its rows times the norm of all that reads them directly. [reconstructed]
  case perLayer = "perConv"

  /// The modes that groups are followed in; single layers are followed in ``perLayer``.
  public static let ofGroups: [NormMode] = [.product, .incoming, .outgoing, .geometric]
}
