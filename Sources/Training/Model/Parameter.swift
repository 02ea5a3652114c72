import Torch

/// One learnable tensor of a model, under PyTorch's name.
public struct Parameter: Sendable {
  /// What the parameter is for; weight decay and initialization depend on it.
  public enum Role: Sendable, Hashable {
    /// The weight of a convolution or a linear layer.
    case weight
    /// The bias of a convolution or a linear layer.
    case bias
    /// Scale (gamma) of a batch normalization.
    case normScale
    /// Shift (beta) of a batch normalization.
    case normShift
  }

  /// The state-dict name, for example `layer1.0.conv1.weight`.
  public let name: String
  /// What the parameter is for.
  public let role: Role
  /// The values; 4-dimensional weights lie channels-last.
  public let tensor: Tensor
}
