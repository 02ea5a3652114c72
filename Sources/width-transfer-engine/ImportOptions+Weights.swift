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
    let written = found.file.metadata
    if let classes = written["width_transfer.classes"] { metadata["classes"] = classes }
    if let mean = written["width_transfer.mean"], let deviation = written["width_transfer.std"] {
      metadata["normalization"] = "{\"mean\":\(mean),\"std\":\(deviation)}"
    } else if let own = found.file.preprocessing, [1, 3].contains(own.mean.count) {
      metadata["normalization"] = String(
        decoding: try JSONEncoder.compact.encode(["mean": own.mean, "std": own.std]), as: UTF8.self)
    }
    return try found.file.weights(metadata: metadata)
  }
}
