import ArgumentParser
import Foundation

package struct TrainCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a network from scratch, at its own widths or at those of a widths file.",
    discussion: """
      Example: width-transfer train --network resnet20 --dataset fashion-mnist --epochs 5 --output runs/resnet20
      """)

  @OptionGroup package var network: NetworkOptions
  @OptionGroup package var data: DataOptions
  @OptionGroup package var recipe: RecipeOptions
  @OptionGroup package var tracking: TrackOptions
  @OptionGroup package var compute: ComputeOptions
  @OptionGroup package var launcher: LauncherOptions
  @OptionGroup package var output: OutputOptions
  @OptionGroup package var general: GeneralOptions

  @Option(help: "Train at the widths of this file.", completion: .file())
  package var widths: String?

  @Flag(
    help: """
      Widen groups that turn out too narrow and narrow those that are wide enough, between epochs, within 5 % of the network's MACs. \
      Weight norms are followed, and the last widths go to widths.json.
      """)
  package var adaptWidths = false
}
