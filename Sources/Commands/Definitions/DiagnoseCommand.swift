import ArgumentParser
import Diagnosis
import Foundation
import Networks
import Records
import Reporting
import Support

package struct DiagnoseCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "diagnose",
    abstract: "Says of each layer whether it is wide enough, from how its channels' weight norms went.",
    discussion: """
      Example: width-transfer diagnose runs/vgg16
      Example: width-transfer diagnose --network resnet18 --weights 'epochs/*.safetensors' --output diagnosis

      Several runs of one network are seeds. A layer whose variance of weight norms rises and stays is wide enough (IS), one whose \
      variance falls again is too narrow (DS): Chen, Bu, Yan 2024. The rules that tell them apart are reconstructed.
      """)

  @Argument(help: "Folders of trainings with --track weight-norms, or of runs that hold some.", completion: .directory)
  package var folders: [String] = []

  @OptionGroup package var network: ScalableNetworkOptions

  @Option(help: "Channel counts by width group of the network that the weights belong to.", completion: .file())
  package var widths: String?

  @Option(
    parsing: .upToNextOption,
    help:
      "Weights after each epoch, whatever program wrote them: files or a pattern in quotes, ordered by the last number in their names.",
    completion: .file())
  package var weights: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: "Runs of a projected network: says how far its diagnosis agrees with the full one's.")
  package var projected: [String] = []

  @Option(help: "What the norms are summed up to: product, incoming, outgoing or geometric.")
  package var mode: NormMode = .product

  @Option(help: "Where diagnosis.html and diagnosis.json go (default: the only folder).", completion: .file())
  package var output: String?

  @Option(
    help: ArgumentHelp("Also write each chart's Vega-Lite specification into this folder.", visibility: .hidden),
    completion: .directory)
  package var charts: String?

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if folders.isEmpty == weights.isEmpty {
      throw ValidationError("Name run folders, or checkpoints with --network and --weights")
    }
    if !weights.isEmpty, network.network == nil { throw ValidationError("--weights needs --network") }
    if weights.isEmpty, network.network != nil || widths != nil {
      throw ValidationError("A run names its own network; --network and --widths belong to --weights")
    }
    if mode == .perLayer { throw ValidationError("--mode is product, incoming, outgoing or geometric") }
    if output == nil, folders.count != 1 { throw ValidationError("Several runs, or --weights, need --output FOLDER") }
  }

  /// Runs are answered at once; weights need the engine.
  package func run() throws {
    if !weights.isEmpty { try Engine.takeOver() }
    let trainings = try TrackedTraining.ofOneNetwork(in: folders.map { RunFolder(path: $0) })
    try finish(DiagnosisSummary(trainings, mode: mode))
  }

  /// Compares with the projected runs where there are any, writes page and document, and says what was found.
  package func finish(_ summary: DiagnosisSummary) throws {
    var summary = summary
    if !projected.isEmpty {
      let others = try TrackedTraining.ofOneNetwork(in: projected.map { RunFolder(path: $0) })
      try summary.compare(with: DiagnosisSummary(others, mode: mode))
    }
    let folder = output ?? folders[0]
    try AtomicFile.createFolder(folder)
    func file(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }
    try JSONFile.write(summary, to: file("diagnosis.json"))
    let report = try Report(summary)
    for warning in try report.write(to: file("diagnosis.html"), bundle: VegaBundle.find()) { general.warn(warning) }
    if let charts { _ = try report.writeChartSpecifications(to: charts) }
    if json {
      try Output.json(summary)
    } else {
      try Output.text(summary.text + "\nThe page: \(file("diagnosis.html"))")
    }
  }
}

extension NormMode: ExpressibleByArgument {}

extension DiagnosisSummary {
  /// The table that a terminal shows.
  package var text: String {
    var table = TextTable(["group", "layers", "width", "pattern", "D", "verdict"], numbers: [2, 4])
    for group in groups {
      table.add([
        group.id, group.numbers.isEmpty ? "–" : LayerNumbers.text(group.numbers), "\(group.width)", group.pattern.short,
        group.drop.map { Format.fixed($0, 2) } ?? "–", "\(group.verdict): \(group.reason)",
      ])
    }
    var text = table.text + "\n\n" + headline
    if let comparison { text += "\n" + comparison.text }
    return text
  }
}
