import Foundation
import Runs
import Training

/// The resolved form of what was asked, as `run.yaml` keeps it: a mapping that `--config` reads back.
enum Resolved {
  static func configuration(
    _ command: String, _ network: NetworkOptions, _ data: DataOptions, _ options: RecipeOptions, _ recipe: Recipe,
    _ compute: ComputeOptions, widths: String? = nil, more: [String: String?] = [:]
  ) -> [String: String] {
    var values: [String: String?] = [
      "command": command, "network": network.network, "width": network.width.map { "\($0)" },
      "depth": network.depth.map { "\($0)" }, "classes": network.classes.map { "\($0)" },
      "input-channels": network.inputChannels.map { "\($0)" }, "resolution": network.resolution.map { "\($0)" },
      "divisor": "\(network.divisor)", "dataset": data.dataset, "subset": data.subset, "recipe": options.recipe,
      "epochs": "\(recipe.epochs)", "batch-size": "\(recipe.batchSize)", "learning-rate": "\(recipe.learningRate)",
      "weight-decay": "\(recipe.weightDecay)", "label-smoothing": "\(recipe.labelSmoothing)",
      "optimizer": recipe.optimizer.rawValue, "decay": recipe.decay.rawValue, "precision": recipe.precision.rawValue,
      "averaging-decay": recipe.averagingDecay.map { "\($0)" }, "device": compute.device,
      "threads": compute.threads.map { "\($0)" }, "seed": "\(compute.seed)", "widths": widths,
    ]
    values.merge(more) { _, new in new }
    return values.compactMapValues { $0 }
  }
}

/// Numbers as people read them.
enum Text {
  static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
  static func percent(_ value: Double) -> String { decimal(value, 2) + " %" }
  static func millions(_ value: Int) -> String { decimal(Double(value) / 1e6, 2) + " M" }
}
