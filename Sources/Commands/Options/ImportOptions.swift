import ArgumentParser
import Networks
import ONNX
import Support

/// How a network comes out of an ONNX file.
package struct ImportOptions: ParsableArguments {
  package init() {}

  /// What becomes of convolutions that an exporter has taken a batch normalization into.
  package enum Folded: String, ExpressibleByArgument, CaseIterable { case auto, restore, leave }

  @Option(
    name: .customLong("folded-batch-norm"),
    help:
      "Of an .onnx: put batch normalizations back where the exporter took them into convolutions and says so (auto), behind every convolution with a bias (restore), or nowhere (leave)."
  )
  package var folded: Folded = .auto

  /// A request that reads ONNX, too.
  package func reading(_ request: NetworkRequest, _ general: GeneralOptions?) -> NetworkRequest {
    var result = request
    result.onnx = { path, resolution, channels in
      try self.import(path, resolution: resolution, inputChannels: channels, general).network
    }
    return result
  }

  /// Reads an ONNX file as the flags say, and tells what was left out or put in.
  package func `import`(
    _ path: String, resolution: Int? = nil, defaultResolution: Int? = nil, inputChannels: Int? = nil,
    _ general: GeneralOptions?
  ) throws -> ONNXImport {
    let found = try ONNXImport(
      path: path, resolution: resolution, defaultResolution: defaultResolution, inputChannels: inputChannels,
      batchNormalization: folded == .auto ? .auto : folded == .restore ? .restore : .leave)
    for remark in found.remarks { general?.note("\(path): \(remark)") }
    return found
  }
}
