import ArgumentParser
import Foundation
import Methods

package struct EvaluateCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Evaluates weights on a dataset's held-out images.",
    discussion: """
      Example: width-transfer evaluate --weights runs/resnet20/model.safetensors --dataset fashion-mnist
      """)

  @Option(
    help:
      "The weights: .safetensors, an index of shards, .pth or .onnx. An .onnx, and a file that this program wrote, also names its network and widths.",
    completion: .file())
  package var weights: String

  @Option(
    help: "A name of the zoo or a network as FILE.json or FILE.onnx (default: the one that the weights name).",
    completion: Completions.networks)
  package var network: String?

  @OptionGroup package var importing: ImportOptions

  @Option(help: "Channel counts by width group.", completion: .file())
  package var widths: String?

  @Option(parsing: .unconditional, help: "Scale every layer's channels by this factor first.")
  package var width: Double?

  @Option(parsing: .unconditional, help: "Scale every stage's number of blocks by this factor first.")
  package var depth: Double?

  @Option(
    parsing: .unconditional,
    help: "Side of the images in pixels (default: that of the weights' network, or the dataset's).")
  package var resolution: Int?

  @Option(parsing: .unconditional, help: "Channel counts are multiples of this.")
  package var divisor: Int = 8

  @Option(parsing: .unconditional, help: "Images in one batch.")
  package var batchSize: Int = 256

  @Flag(help: "Take classes as they are numbered, whatever weights and dataset call them.")
  package var ignoreClassNames = false

  @Option(help: "The type that convolutions and matrix products compute in.")
  package var precision: Recipe.Precision = .float32

  @Option(help: DataOptions.help, completion: .file())
  package var dataset: String

  @OptionGroup package var reading: ReadingFlags
  @OptionGroup package var compute: ComputeOptions

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
    if network == nil, width != nil || depth != nil {
      throw ValidationError(
        "--width and --depth scale a network that --network names; the weights name theirs as it is")
    }
  }
}
