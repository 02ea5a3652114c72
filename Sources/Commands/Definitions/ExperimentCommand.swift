import ArgumentParser
import Foundation
import Support

package struct ExperimentCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "A figure of the papers as one command; what is done already is not done again.",
    discussion: """
      Example: width-transfer experiment matthew-2-gcn --data cora/ --output experiments/gcn

      `experiment list` shows the names. Of Chen, Bu, Yan 2024: matthew-2-gcn.
      """)

  /// An experiment.
  package enum Name: String, CaseIterable {
    /// The graph convolution of figure 2, and the sweep over its widths.
    case graphConvolution = "matthew-2-gcn"

    /// What it shows.
    package var claim: String {
      switch self {
      case .graphConvolution: "The hidden layer of a narrow graph convolution on Cora is DS, that of a wide one IS."
      }
    }
  }

  @Argument(help: "The experiment's name, or `list`.")
  package var name: String

  @Option(
    help:
      "The folder of the data: cora.nodes.tsv and cora.edges.tsv, or cora.content and cora.cites (default: a synthetic graph)."
  )
  package var data: String?

  @Option(help: "The widths, with commas between.")
  package var widths: String = "4,8,16,32,64,128,256,512"

  @Option(parsing: .unconditional, help: "Trainings of each width.")
  package var seeds: Int = 10

  @Option(parsing: .unconditional, help: "Epochs of each training.")
  package var epochs: Int = 200

  @OptionGroup package var compute: ComputeOptions

  @Option(help: "The folder for the results and report.html.")
  package var output: String?

  @Option(help: ArgumentHelp("Also write each chart's Vega-Lite specification into this folder.", visibility: .hidden))
  package var charts: String?

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if name == "list" { return }
    guard Name(rawValue: name) != nil else {
      let near = nearestNames(to: name, in: Name.allCases.map(\.rawValue), count: 1)
      throw ValidationError(
        "There is no experiment \(name)\(near.isEmpty ? "" : "; did you mean \(near[0])?") `experiment list` shows all")
    }
    if output == nil { throw ValidationError("Give --output FOLDER") }
    if seeds < 1 || epochs < 1 { throw ValidationError("--seeds and --epochs must be at least 1") }
    if parsedWidths == nil {
      throw ValidationError("--widths takes numbers from 1 to 65536 with commas between: 4,8,16")
    }
  }

  /// The widths in order; nil when the text is none.
  package var parsedWidths: [Int]? {
    let numbers = widths.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard !numbers.isEmpty, numbers.allSatisfy({ (1...65536).contains($0) }) else { return nil }
    return Set(numbers).sorted()
  }

  /// The list is answered at once; the others need the engine.
  package func run() throws {
    if name != "list" { try Engine.takeOver() }
    for name in Name.allCases { try Output.text("\(name.rawValue)  \(name.claim)") }
  }
}
