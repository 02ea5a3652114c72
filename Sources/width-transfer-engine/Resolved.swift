import Commands
import Foundation
import ImageFiles
import Methods
import Records
import Torch

/// The resolved form of what was asked, as `run.yaml` keeps it: a mapping that `--config` reads back.
enum Resolved {
  static func configuration(
    _ command: String, _ network: NetworkOptions, _ data: DataOptions, _ dataset: Dataset, _ recipe: Recipe,
    _ compute: ComputeOptions, on device: Device, more: [String: String?] = [:], lists: [String: [String]] = [:]
  ) throws -> Configuration {
    var values: [String: String?] = [
      "command": command, "network": path(network.network), "width": network.width.map { "\($0)" },
      "depth": network.depth.map { "\($0)" }, "classes": network.classes.map { "\($0)" },
      "input-channels": network.inputChannels.map { "\($0)" }, "resolution": network.resolution.map { "\($0)" },
      "divisor": "\(network.divisor)", "dataset": path(data.dataset), "data": try dataset.fingerprint,
      "subset": data.subset,
      "folded-batch-norm": network.importing.folded == .auto ? nil : network.importing.folded.rawValue,
      "graph-output": network.importing.graphOutput, "structure": network.importing.structure.map(path),
      "device": device.description, "threads": "\(Torch.threads)", "loader-threads": "\(compute.loaderThreads)",
      "recompute": recipe.recomputesActivations ? "true" : nil, "seed": "\(compute.seed)",
      "version": WidthTransferCommand.version, "libtorch": Torch.version,
      "swift": swiftVersion,
    ]
    values.merge(data.reading.resolved) { _, new in new }
    values.merge(more) { _, new in new }
    var all = values.mapValues { $0.map(Configuration.Value.text) }
    // One of a flag that may be given several times is written as any other.
    for (flag, texts) in lists where !texts.isEmpty { all[flag] = texts.count == 1 ? .text(texts[0]) : .list(texts) }
    // Whole, so that another version with other presets trains the same.
    all["recipe"] = try Configuration.Value(encoding: recipe)
    return Configuration(all)
  }

  /// A file's or folder's whole path, so that run.yaml can be used from anywhere; a name as it is.
  static func path(_ name: String) -> String {
    FileManager.default.fileExists(atPath: name) ? URL(fileURLWithPath: name).standardizedFileURL.path : name
  }

  // The compiler's language version: the run-time library does not tell its own.
  private static var swiftVersion: String {
    #if compiler(>=6.4)
      "6.4 or later"
    #elseif compiler(>=6.3)
      "6.3"
    #elseif compiler(>=6.2)
      "6.2"
    #else
      "6.1"
    #endif
  }
}
