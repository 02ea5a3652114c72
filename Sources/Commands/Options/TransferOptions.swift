import ArgumentParser
import Foundation
import Methods
import Networks
import Support
import Transfer

/// How to search and how to carry the result over.
package struct TransferOptions: ParsableArguments {
  package init() {}

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "How network and data are shrunk for the search, for example width=0.5,depth=0.5,resolution=14,data=20%; `compare` takes several. auto: as far as it takes for --budget.",
      valueName: "project"))
  package var project: [String] = []

  @Option(
    help: ArgumentHelp(
      "With --project auto, what the search may take, for example 90s, 30m or 1h30m.", valueName: "time"))
  package var budget: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "The budget: relative to the network (1.0x, the default) or in MACs (300M). Several give widths for each.",
      valueName: "flops"))
  package var flops: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A budget in parameters: relative to the network (0.6x) or an amount (2M). Several give widths for each.",
      valueName: "parameters"))
  package var parameters: [String] = []

  @OptionGroup package var timing: LatencyOptions

  @OptionGroup package var fixing: FixOption

  @Option(
    name: .customLong("stacking"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "How blocks of the small network stand for those of the whole one (default: average-block); `compare` takes several.",
      valueName: "stacking"))
  package var stackings: [Stacking] = []

  /// The only rule of stacking.
  ///
  /// - Throws: `UsageFailure` when there are several.
  package func stacking() throws -> Stacking {
    guard stackings.count <= 1 else {
      throw UsageFailure("--stacking is given \(stackings.count) times; only `compare` takes several")
    }
    return stackings.first ?? .averageBlock
  }

  @Option(
    parsing: .unconditional, help: "Epochs of the search (default: a part of the training's that fits the method).")
  package var searchEpochs: Int?

  @Option(parsing: .unconditional, help: "Learning rate of the search's weights (default: the recipe's).")
  package var searchLearningRate: Double?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A setting of the search method, for example kappa=3, or morphnet.kappa=3 where there are several methods.",
      discussion: WidthOptimizers.names.compactMap { name in
        let settings = WidthOptimizers.settings(of: name)
        return settings.isEmpty ? nil : "\(name): \(settings.joined(separator: ", "))"
      }.joined(separator: "\n"), valueName: "name=value"))
  package var searchOption: [String] = []

  @Flag(
    help:
      "End the search once its widths moved, in the last tenth of its steps, less than a quarter of the way that they have come: dmcp's settledDrift=0.25."
  )
  package var stopWhenSettled = false

  /// How a method trains during its search.
  package func searchRecipe(for optimizer: any WidthOptimizer, _ recipe: Recipe) throws -> Recipe {
    try optimizer.searchRecipe(from: recipe, epochs: searchEpochs, learningRate: searchLearningRate)
  }

  /// The methods of these names with the settings that are given for them.
  package func optimizers(_ names: [String]) throws -> [any WidthOptimizer] {
    let settings = try settings(of: names)
    return try names.map { try WidthOptimizers.named($0, settings: settings[$0] ?? [:]) }
  }

  /// The methods that are asked for, with settings of their own before those for all of a method.
  package func optimizers(_ requests: [MethodRequest]) throws -> [any WidthOptimizer] {
    var names: [String] = []
    for request in requests where !names.contains(request.name) { names.append(request.name) }
    let shared = try settings(of: names)
    return try requests.map {
      try WidthOptimizers.named($0.name, settings: (shared[$0.name] ?? [:]).merging($0.settings) { $1 })
    }
  }

  private func settings(of names: [String]) throws -> [String: [String: String]] {
    var settings: [String: [String: String]] = [:]
    for text in searchOption {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw UsageFailure("--search-option \(text): expected NAME=VALUE, for example kappa=3")
      }
      let name = String(text[..<equals])
      let value = String(text[text.index(after: equals)...])
      let prefix = name.split(separator: ".", maxSplits: 1).map(String.init)
      if prefix.count == 2, WidthOptimizers.names.contains(prefix[0]) {
        guard names.contains(prefix[0]) else {
          throw UsageFailure("--search-option \(text): \(prefix[0]) is not among the methods of this run")
        }
        settings[prefix[0], default: [:]][prefix[1]] = value
      } else if names.count == 1 {
        settings[names[0], default: [:]][name] = value
      } else {
        throw UsageFailure("--search-option \(text): say for which method, for example \(names[0]).\(text)")
      }
    }
    if stopWhenSettled {
      let able = names.filter { WidthOptimizers.settingNames(of: $0).contains("settledDrift") }
      guard !able.isEmpty else {
        throw UsageFailure("--stop-when-settled: \(Format.list(names, most: 4)) cannot tell; dmcp can")
      }
      for name in able where settings[name]?["settledDrift"] == nil {
        settings[name, default: [:]]["settledDrift"] = "0.25"
      }
    }
    return settings
  }

  /// The only projection; nothing is shrunk without one.
  ///
  /// - Throws: `UsageFailure` when there are several, or one that is none.
  package func projection() throws -> Projection {
    guard project.count <= 1 else {
      throw UsageFailure("--project is given \(project.count) times; only `compare` takes several")
    }
    return try automaticSeconds() == nil ? projections().first ?? Projection() : Projection()
  }

  /// What the search may take where `--project auto` is to choose the projection; nil where one is named.
  ///
  /// - Throws: `UsageFailure` when the two flags do not go together.
  package func automaticSeconds() throws -> Double? {
    guard project.contains("auto") else {
      guard budget == nil else { throw UsageFailure("--budget is for --project auto, which chooses what fits into it") }
      return nil
    }
    guard project.count == 1 else {
      throw UsageFailure("--project auto stands alone: it chooses the projection itself")
    }
    guard let budget else {
      throw UsageFailure("--project auto needs to know what the search may take: give a --budget, for example 30m")
    }
    guard let seconds = TimeSpan.parse(budget) else {
      throw UsageFailure("--budget \(budget): a time with its unit, for example 90s, 30m or 1h30m")
    }
    return seconds
  }

  /// All projections.
  package func projections() throws -> [Projection] {
    try project.map { text in
      guard text != "auto" else {
        throw UsageFailure(
          "--project auto chooses for one search of one method: it is part of `run` and `search`; here, name a projection such as "
            + "width=0.5,data=20%")
      }
      return try Projection(parsing: text)
    }
  }

  private var flopsOrDefault: [String] {
    flops.isEmpty && parameters.isEmpty && timing.latency.isEmpty ? ["1.0x"] : flops
  }

  /// The budgets of a network.
  package func budgets(of network: ResolvedNetwork) throws -> [Budget] {
    try Budget.parse(flopsOrDefault, of: network) + Budget.parse(parameters, in: .parameters, of: network)
      + timing.budgets(of: network)
  }

  /// The flags that may be given several times, in their resolved form.
  package var lists: [String: [String]] {
    [
      "project": project, "flops": flopsOrDefault, "parameters": parameters, "latency": timing.latency,
      "stacking": stackings.map(\.rawValue), "fix": fixing.fix,
      "search-option": searchOption,
    ]
  }
}

extension Stacking: ExpressibleByArgument {}
