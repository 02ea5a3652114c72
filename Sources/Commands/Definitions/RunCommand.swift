import ArgumentParser
import Foundation

package struct RunCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "The main job: project, search, extrapolate, train the uniform and the optimized network, report.",
    discussion: """
      Example: width-transfer run --network resnet20 --dataset fashion-mnist --project width=0.5,depth=0.67 \
      --divisor 2 --epochs 10 --output runs/first
      """)

  @OptionGroup package var network: NetworkOptions
  @OptionGroup package var data: DataOptions
  @OptionGroup package var algorithm: AlgorithmOption
  @OptionGroup package var transfer: TransferOptions
  @OptionGroup package var recipe: RecipeOptions
  @OptionGroup package var tracking: TrackOptions
  @OptionGroup package var compute: ComputeOptions
  @OptionGroup package var launcher: LauncherOptions
  @OptionGroup package var jobs: JobsOptions
  @OptionGroup package var output: OutputOptions
  @OptionGroup package var general: GeneralOptions

  @Option(parsing: .unconditional, help: "Independent trainings of each network, for mean ± standard deviation.")
  package var seeds: Int = 1
}
