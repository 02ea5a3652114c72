import Commands
import Foundation
import Interchange
import ONNX
import Support
import Networks
import Training

extension ImportOptions {
  /// The weights of a file of any kind. An ONNX model is one, too: it names its network, and, where this program wrote it, classes and
  /// normalization.
  func weights(
    _ path: String, resolution: Int? = nil, defaultResolution: Int? = nil, inputChannels: Int? = nil,
    _ general: GeneralOptions
  ) throws -> WeightsFile {
    guard path.hasSuffix(".onnx") else { return try WeightsFile(path: path) }
    let found = try self.import(
      path, resolution: resolution, defaultResolution: defaultResolution, inputChannels: inputChannels, general)
    var metadata = [
      "network": found.network.name,
      "architecture": String(decoding: try JSONEncoder.compact.encode(found.network), as: UTF8.self),
    ]
    if let classes = found.file.metadata["width_transfer.classes"],
      let mean = found.file.metadata["width_transfer.mean"],
      let deviation = found.file.metadata["width_transfer.std"]
    {
      metadata["classes"] = classes
      metadata["normalization"] = "{\"mean\":\(mean),\"std\":\(deviation)}"
    }
    return try found.file.weights(metadata: metadata)
  }
}
