import ArgumentParser

package struct SearchCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "search", abstract: "Projects, searches widths and extrapolates them; writes widths.json.",
    discussion: """
      Example: width-transfer search --network resnet20 --dataset fashion-mnist --project width=0.5,data=20% \
      --divisor 2 --output runs/search
      """)

  @OptionGroup package var network: NetworkOptions
  @OptionGroup package var data: DataOptions
  @OptionGroup package var algorithm: AlgorithmOption
  @OptionGroup package var transfer: TransferOptions
  @OptionGroup package var recipe: RecipeOptions
  @OptionGroup package var compute: ComputeOptions
  @OptionGroup package var launcher: LauncherOptions
  @OptionGroup package var output: OutputOptions
  @OptionGroup package var general: GeneralOptions
}
