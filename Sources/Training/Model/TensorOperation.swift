import Networks
import Torch

/// An operation from elsewhere that can be computed here: what a model runs for `Operation.other`.
///
/// The operations of this package have their own places in ``ExecutionPlan``, where neighbours may share buffers and passes.
public protocol TensorOperation: OperationDefinition {
  /// Whether the derivative reads the operation's own result, so that no later operation may overwrite it.
  var derivativeReadsResult: Bool { get }
  /// Computes the operation.
  ///
  /// - Parameters:
  ///   - inputs: `[batch, channels, height, width]`, or `[batch, channels]` after a flatten.
  ///   - parameters: The tensors of ``Networks/OperationDefinition/parameters``, in their order; of a narrower network, the front
  ///     parts along the dimensions of output and input channels.
  ///   - isTraining: Whether batch statistics and random draws of training apply.
  func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor
}
