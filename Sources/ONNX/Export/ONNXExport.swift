import Foundation
import Networks
import Support

/// A trained network as an ONNX model for inference.
///
/// One node an operation where the format has it, initializers named as the state dict, any batch size. Batch normalizations stay, in
/// their inference form, or are taken into the convolutions before them.
public struct ONNXExport {
  /// What becomes of batch normalizations.
  public enum BatchNormalization: String, Sendable, CaseIterable {
    /// They stay nodes of their own, so that the weights are those of the state dict.
    case keep
    /// Where a convolution is read by one alone, its weights take it in.
    case fold
  }

  /// The network.
  public var network: ResolvedNetwork
  /// What becomes of batch normalizations.
  public var batchNormalization: BatchNormalization
  /// What the file says beside the graph.
  public var metadata: [String: String]
  /// The version of this program, for the file.
  public var version: String

  /// Describes an export.
  public init(
    _ network: ResolvedNetwork, batchNormalization: BatchNormalization = .keep, metadata: [String: String] = [:],
    version: String = ""
  ) {
    self.network = network
    self.batchNormalization = batchNormalization
    self.metadata = metadata
    self.version = version
  }

  /// The model's bytes.
  ///
  /// - Parameter values: The numbers of a tensor of the state dict, row-major.
  /// - Throws: `UsageFailure` for an operation that has no ONNX form; what `values` throws.
  public func data(_ values: @escaping (_ name: String) throws -> [Float]) throws -> Data {
    var graph = ONNXGraphBuilder(network, folds: batchNormalization == .fold, values)
    return try graph.build().serialized(metadata: metadata, producerVersion: version)
  }
}
