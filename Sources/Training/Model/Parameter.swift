import Networks
import Torch

/// One learnable tensor of a model, under PyTorch's name.
public struct Parameter {
  /// The state-dict name, for example `layer1.0.conv1.weight`.
  public let name: String
  /// What the parameter is for.
  public let role: ParameterRole
  /// The values; 4-dimensional weights lie channels-last.
  public let tensor: Tensor
}
