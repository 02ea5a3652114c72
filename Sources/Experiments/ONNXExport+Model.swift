import Foundation
import Networks
import ONNX
import Support
import Torch
import Training

extension ONNXExport {
  /// The bytes of the file with a model's weights, as 32-bit floating-point numbers.
  ///
  /// - Throws: `UsageFailure` when the model lacks a tensor of the network; otherwise as the export of numbers.
  public func data(_ model: Model) throws -> Data {
    let state = try Dictionary(uniqueKeysWithValues: model.stateDict().map { ($0.name, $0.tensor) })
    return try data { name in
      guard let tensor = state[name] else {
        throw UsageFailure("\(name) is missing, which \(model.plan.resolved.name) needs")
      }
      return try tensor.to(.float32).array()
    }
  }
}
