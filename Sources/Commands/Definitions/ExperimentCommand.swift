import ArgumentParser
import Foundation
import Records
import Support

package struct ExperimentCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "A figure of the papers as one command; what is done already is not done again.",
    discussion: """
      Example: width-transfer experiment matthew-2-gcn --data cora/ --output experiments/gcn
      Example: width-transfer experiment figure-4a --scale cifar --jobs 2 --output experiments/figure-4a

      `experiment list` shows the names with their claims. Figures and tables of the width-transfer paper are comparisons, and take the flags of `compare`; \
      `experiment show NAME` prints what they stand for, and `experiment FILE.yaml` carries out a changed copy. Those of Chen, Bu, Yan 2024 begin with matthew.
      """)

  @Argument(help: "The experiment's name, or `list`, or `show`.")
  package var name: String

  @Argument(help: "What `show` shows.")
  package var shown: String?

  @Option(help: "The data, as `experiment list` says (default: synthetic data).", completion: .file())
  package var data: String?

  @Option(help: "Use this part of the data to train on only, for example 10% (text and images).")
  package var subset: String?

  @Option(help: "The widths, with commas between (default: those of the figure).")
  package var widths: String?

  @Option(help: "matthew-x1: the layer whose width is varied, by number or name (default: 5).")
  package var layer: String?

  @Option(
    parsing: .upToNextOption,
    help: "matthew-4, -6, -a5, -t3 and -t4: only these of its networks, such as vgg16 (default: all).")
  package var network: [String] = []

  @Option(
    parsing: .unconditional,
    help: "Trainings of each width or network (default: 10 of graphs and matthew-t4, 5 of matthew-t3, 3 of the others)."
  )
  package var seeds: Int?

  @Option(parsing: .unconditional, help: "Epochs of each training (default: by the experiment and its scale).")
  package var epochs: Int?

  @Option(
    name: .customLong("scale"),
    help: "How large: small or full; of the width-transfer paper smoke, cifar or imagenet (default: the first).")
  package var scaleText: String?

  /// How large the models are beside the width.
  package var scale: ExperimentScale { scaleText.flatMap(ExperimentScale.init) ?? .small }

  @OptionGroup package var reading: ReadingFlags
  @OptionGroup package var compute: ComputeOptions

  @Option(help: "The folder for the results and report.html.", completion: .file())
  package var output: String?

  @Option(
    help: ArgumentHelp("Also write each chart's Vega-Lite specification into this folder.", visibility: .hidden),
    completion: .directory)
  package var charts: String?

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @Flag(
    help:
      "`list`: time a few training steps, and say how long each figure of the width-transfer paper would take on this machine."
  )
  package var times = false

  @OptionGroup package var general: GeneralOptions

  /// The experiment that is named; nil for the list.
  package var experiment: ExperimentName? { ExperimentName(rawValue: name) }

  package func validate() throws {
    if name == "show" {
      guard let shown, ExperimentGrid.named(shown) != nil else {
        let known = ExperimentGrid.all.map(\.name).joined(separator: ", ")
        throw ValidationError("Name a figure or table of the width-transfer paper to show: \(known)")
      }
      guard GridScale(rawValue: scaleText ?? "smoke") != nil else {
        throw ValidationError("--scale is smoke, cifar or imagenet here")
      }
      return
    }
    if let shown { throw ValidationError("\(shown) is one name too many") }
    if times, name != "list" { throw ValidationError("--times belongs to `experiment list`") }
    if name == "list" { return }
    guard experiment != nil else { throw ValidationError(Self.unknown(name)) }
    guard ExperimentScale(rawValue: scaleText ?? "small") != nil else {
      throw ValidationError("--scale is small or full")
    }
    if output == nil {
      guard experiment == .phenomena else { throw ValidationError("Give --output FOLDER") }
      guard seeds == nil, epochs == nil, scaleText == nil else {
        throw ValidationError("\(name) measures nothing without --output FOLDER; it prints what the networks are")
      }
    }
    if !["cpu", "auto"].contains(compute.device),
      [.loop, .phenomena, .graphConvolution, .languageModel, .transformer].contains(experiment)
    {
      throw ValidationError("\(name) computes on the CPU alone; leave --device out")
    }
    if scaleText != nil, [.loop, .phenomena, .graphConvolution].contains(experiment) {
      throw ValidationError("\(name) is the same at both scales; leave --scale out")
    }
    let networks = experiment?.networks.map(\.label) ?? []
    if let unknown = network.first(where: { !networks.contains($0) }) {
      throw ValidationError(
        networks.count < 2
          ? "\(name) has no networks to choose"
          : "\(name) has no network \(unknown); it has \(networks.joined(separator: ", "))")
    }
    guard (1...1000).contains(seeds ?? 1) else { throw ValidationError("--seeds must be from 1 to 1000") }
    guard (1...1_000_000).contains(epochs ?? 1) else { throw ValidationError("--epochs must be from 1 to 1000000") }
    if widths != nil, experiment?.widths == nil { throw ValidationError("\(name) has no widths to choose") }
    if data != nil, experiment?.data == nil { throw ValidationError("\(name) takes no data") }
    if experiment == .loop, seeds != nil || epochs != nil {
      throw ValidationError("\(name) draws curves that are always the same; leave --seeds and --epochs out")
    }
    if subset != nil, [.loop, .phenomena, .graphConvolution].contains(experiment) {
      throw ValidationError("\(name) has no data of which there could be a part; leave --subset out")
    }
    if layer != nil, experiment != .layerWidths { throw ValidationError("--layer belongs to matthew-x1") }
    if let widths, Self.parsed(widths) == nil {
      throw ValidationError("--widths takes numbers from 1 to 65536 with commas between: 4,8,16")
    }
    if let subset, Fraction.parse(subset) == nil {
      throw ValidationError("--subset \(subset): expected a part such as 20% or 0.2, above 0 and at most all")
    }
  }

  /// What to say of a name that no experiment has.
  static func unknown(_ name: String) -> String {
    let names = ExperimentName.allCases.map(\.rawValue) + ExperimentGrid.all.map(\.name)
    // Figures of the paper with several parts: figure-8 is figure-8a and figure-8b.
    let parts = names.filter { $0.hasPrefix(name) && $0.count == name.count + 1 }
    guard parts.count < 2 else {
      return "\(name) has several parts, each an experiment: \(parts.joined(separator: ", "))"
    }
    let near = nearestNames(to: name, in: names, count: 1)
    return
      "There is no experiment \(name)\(near.isEmpty ? "" : "; did you mean \(near[0])?") `experiment list` shows all"
  }

  /// Widths in order; nil when the text is none.
  package static func parsed(_ text: String) -> [Int]? {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard !numbers.isEmpty, numbers.allSatisfy({ (1...65536).contains($0) }) else { return nil }
    return Set(numbers).sorted()
  }

  /// The list is answered at once; the others need the engine.
  package func run() throws {
    if name == "show", let grid = shown.flatMap(ExperimentGrid.named) {
      let scale = scaleText.flatMap(GridScale.init) ?? .smoke
      guard let text = grid.yaml(scale) else { throw UsageFailure("\(grid.name) has no scale \(scale.rawValue)") }
      guard !json else { return try Output.json(Configuration(text: text, name: grid.name).values) }
      return try Output.text(String(text.dropLast()))
    }
    if experiment == .phenomena, output == nil { return try Phenomena.tell(asJSON: json) }
    if name != "list" || times { try Engine.takeOver() }
    try list()
  }

  /// The experiment's networks that are asked for.
  package func networks(_ experiment: ExperimentName) -> [(label: String, name: String, factor: Double)] {
    experiment.networks.filter { network.isEmpty || network.contains($0.label) }
  }

  /// Prints the names with their claims.
  ///
  /// - Parameter pace: How fast this machine trains, where that was timed.
  package func list(_ pace: MachinePace? = nil) throws {
    let all = try ExperimentListing.all(pace)
    if json { return try Output.json(all) }
    for entry in all {
      try Output.text("\(entry.name)  \(entry.claim)" + (entry.data.map { "\n    data: \($0)" } ?? ""))
      guard let scales = entry.scales else { continue }
      let sizes = GridScale.allCases.compactMap { scale in
        scales[scale.rawValue].map { size in
          "\(scale.rawValue) \(size.searches) + \(size.trainings)"
            + (size.seconds.map { " (about \(Format.roughly($0)))" } ?? "")
        }
      }
      try Output.text("    searches + trainings: \(sizes.joined(separator: ", "))")
    }
  }
}
