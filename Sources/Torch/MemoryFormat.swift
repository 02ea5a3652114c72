/// How a tensor's elements lie in memory, with LibTorch's numbering.
public enum MemoryFormat: Int32, Sendable, Hashable, Codable {
  /// Row-major: [N, C, H, W].
  case contiguous = 0
  /// As the source of the operation.
  case preserve = 1
  /// Channels innermost: [N, H, W, C] in memory, for 4-dimensional tensors.
  case channelsLast = 2
}
