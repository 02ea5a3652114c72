import ArgumentParser
import Foundation
import Networks
import ONNX
import Records
import Support

/// How a network comes out of an ONNX file.
package struct ImportOptions: ParsableArguments {
  package init() {}

  /// What becomes of convolutions that an exporter has taken a batch normalization into.
  package enum Folded: String, ExpressibleByArgument, CaseIterable { case auto, restore, leave }

  @Option(
    name: .customLong("folded-batch-norm"),
    help:
      "Of an .onnx: put batch normalizations back where the exporter took them into convolutions and says so (auto), behind every convolution with a bias that has none and is no gate and no classifier (restore), or nowhere (leave)."
  )
  package var folded: Folded = .auto

  @Option(help: "Of an .onnx with several outputs: the one that the network is for.")
  package var graphOutput: String?

  @Option(
    help:
      "Of an .onnx: a YAML file that states its stages, its blocks and layers that keep their widths (default: NAME.structure.yaml beside NAME.onnx, if it is there).",
    completion: .file())
  package var structure: String?

  /// An ONNX file as the flags read it.
  package struct Imported {
    /// What the file holds.
    package var file: ONNXImport
    /// Its network, with the structure that somebody stated.
    package var network: Network
  }

  /// Refuses settings that say how an `.onnx` is read where there is none.
  ///
  /// - Parameter files: What a command reads: its network and its weights, as far as they are named.
  /// - Throws: `UsageFailure`.
  package func require(_ files: String?...) throws {
    let given = [
      ("folded-batch-norm", folded != .auto), ("graph-output", graphOutput != nil), ("structure", structure != nil),
    ]
    guard let (name, _) = given.first(where: \.1), !files.contains(where: { $0?.hasSuffix(".onnx") ?? false }) else {
      return
    }
    let named = files.compactMap { $0 }.joined(separator: ", ")
    throw UsageFailure(
      "`\(name)` says how an .onnx is read, and there is none here"
        + (named.isEmpty ? "" : "; \(named) is read without it"))
  }

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
  ) throws -> Imported {
    let found = try ONNXImport(
      path: path, resolution: resolution, defaultResolution: defaultResolution, inputChannels: inputChannels,
      output: graphOutput, batchNormalization: folded == .auto ? .auto : folded == .restore ? .restore : .leave)
    for remark in found.remarks { general?.note("\(path): \(remark)") }
    guard let stated = structure ?? Self.beside(path) else { return Imported(file: found, network: found.network) }
    let structure = try YAMLFile.read(
      NetworkStructure.self, path: stated,
      expecting:
        "a structure has `stages` (a list of `name` and `blocks`), `fixed` (a list of layers) and `groups` (lists of layers of one width)"
    )
    do {
      let network = try structure.applied(to: found.network)
      general?.note("\(path): its structure is that of \(stated)")
      return Imported(file: found, network: network)
    } catch let failure as NetworkFailure {
      throw FileFailure(.badData, path: stated, reason: failure.message)
    }
  }

  private static func beside(_ path: String) -> String? {
    let place = (path as NSString).deletingPathExtension + ".structure.yaml"
    return FileManager.default.fileExists(atPath: place) ? place : nil
  }
}
