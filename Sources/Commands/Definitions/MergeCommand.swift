import ArgumentParser
import Diagnosis

package struct MergeCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Merges channels that do nearly the same: a smaller network with its weights, without training.",
    discussion: """
      Example: width-transfer merge runs/vgg16 --dataset cifar10 --threshold 0.1 --output merged

      Iterative feature merging: Chen, Zhou, Yan, ICLR 2024. `--mode paper` is what their code does; the default is exact for equal channels \
      and reconstructed.
      """)

  @Argument(help: "The folder of a training, or a file of weights.", completion: .file())
  package var source: String

  @OptionGroup package var network: ScalableNetworkOptions

  @Option(help: "Channel counts by width group of the network that the weights belong to.", completion: .file())
  package var widths: String?

  @Option(help: "What becomes of two channels: mean-sum, paper or folded-paper.")
  package var mode: MergeSettings.Mode = .meanSum

  @Option(
    parsing: .unconditional,
    help: "β: the closest pair is merged when its squared distance is at most this part of its group's largest.")
  package var threshold: Double = 0.1

  @Option(parsing: .unconditional, help: "A group is merged at most as many times as this part of its channels.")
  package var largestRatio: Double = 1

  @Option(help: "Which groups: published (of ResNets the last stages, as in the paper's code) or all.")
  package var scope: MergeSettings.Scope = .published

  @Option(help: "Measure accuracy before and after on this dataset.", completion: .file())
  package var dataset: String?

  @OptionGroup package var reading: ReadingFlags

  @Option(parsing: .unconditional, help: "Estimate normalizations anew on so many batches of the training images.")
  package var recalibrate: Int = 0

  @Option(parsing: .unconditional, help: "Images in one batch.")
  package var batchSize: Int = 256

  @OptionGroup package var compute: ComputeOptions

  @Option(help: "The folder for model.safetensors, widths.json and merge.json.", completion: .file())
  package var output: String

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
    if recalibrate < 0 { throw ValidationError("--recalibrate must be at least 0") }
    if recalibrate > 0, mode == .foldedPaper {
      throw ValidationError(
        "--recalibrate has nothing to estimate with --mode folded-paper, which takes normalizations into the convolutions"
      )
    }
    if recalibrate > 0, dataset == nil { throw ValidationError("--recalibrate needs images: --dataset") }
  }
}

extension MergeSettings.Mode: ExpressibleByArgument {}
extension MergeSettings.Scope: ExpressibleByArgument {}
