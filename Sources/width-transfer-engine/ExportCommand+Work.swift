import Commands
import Experiments
import Foundation
import ImageFiles
import Interchange
import Networks
import ONNX
import Records
import Support
import Torch
import Training

extension ExportCommand: EngineWork {
  package func perform() throws {
    let format = try resolvedFormat()
    let file = try weights.map {
      try network.importing.weights(
        $0, resolution: network.resolution, inputChannels: network.inputChannels, general)
    }
    var built: ResolvedNetwork
    if let named = try network.build(weights: weights) {
      built = named
    } else {
      guard let described = try file?.network() else {
        throw UsageFailure("\(weights ?? "the file") does not say which network it belongs to; name it with --network")
      }
      built = try described.resolved()
    }
    if let widths { built = try built.with(widthsFile: widths) }
    let source = (output as NSString).deletingPathExtension + ".safetensors"
    let outputs = format == .pytorch ? [output, source] : [output]
    for path in outputs { try ResultFile.require(path, overwrite: overwrite) }
    // Read as for a training, so that what does not fit is refused here as everywhere.
    let model = try Model(built, seed: seed)
    if let file {
      try model.load(file)
      guard try model.isFinite() else {
        throw FileFailure(
          .badData, path: file.path,
          reason: "some of its weights are not numbers: the training that wrote them diverged")
      }
    } else {
      general.note(
        "\(built.name) is written with weights that are not trained, those that a training with seed \(seed) begins with"
      )
    }
    let context = try file.flatMap { try TrainedContext($0) }
    switch format {
    case .onnx: try writeONNX(model, context)
    case .safetensors: try model.save(to: output, metadata: try context?.metadata ?? [:])
    case .pytorch:
      let text = try PyTorchSource(built, weights: (source as NSString).lastPathComponent, version: Self.version).text()
      try model.save(to: source, metadata: try context?.metadata ?? [:])
      try AtomicFile.write(Data(text.utf8), to: output)
    }
    let cost = built.cost
    if json {
      return try Output.json(
        Written(
          network: built.name, format: format.rawValue, files: outputs, macs: cost.macs, parameters: cost.parameters))
    }
    try Output.text(
      "\(built.name): \(Format.amount(cost.macs)) MACs, \(Format.amount(cost.parameters)) parameters; "
        + "written to \(outputs.joined(separator: " and "))")
  }

  /// What `export --json` prints.
  private struct Written: Encodable {
    var network: String
    var format: String
    var files: [String]
    var macs: Int
    var parameters: Int
  }

  private static var version: String { WidthTransferCommand.version }

  private func writeONNX(_ model: Model, _ context: TrainedContext?) throws {
    let network = model.plan.resolved
    let export = ONNXExport(
      network, batchNormalization: batchNorm == .fold ? .fold : .keep,
      metadata: try metadata(network, context), version: Self.version)
    try AtomicFile.write(export.data(model), to: output)
  }

  /// What whoever runs the network must know, under names that onnxruntime hands out.
  private func metadata(_ network: ResolvedNetwork, _ context: TrainedContext?) throws -> [String: String] {
    func json(_ value: some Encodable) throws -> String {
      String(decoding: try JSONEncoder.compact.encode(value), as: UTF8.self)
    }
    var values = [
      "width_transfer.network": network.name, "width_transfer.widths": try json(network.widths),
      "width_transfer.resolution": "\(network.input.height)", "width_transfer.architecture": try json(network.network),
    ]
    if let context {
      values["width_transfer.mean"] = try json(context.normalization.mean)
      values["width_transfer.std"] = try json(context.normalization.std)
      if !context.classNames.isEmpty { values["width_transfer.classes"] = try json(context.classNames) }
    }
    return values
  }
}
