import ArgumentParser
import Foundation
import Methods

package struct CompareCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares search methods and controls: each searches directly and on the projection; all train alike.",
    discussion: """
      Every seed makes one search and one training of each, with the same recipe; the report sets them side by side.

      Example: width-transfer compare --network resnet20 --dataset fashion-mnist \
      --project width=0.5,depth=0.67 --divisor 2 --epochs 6 --seeds 3 --output runs/methods
      """)

  @OptionGroup package var network: NetworkOptions
  @OptionGroup package var data: DataOptions

  @Option(
    parsing: .unconditionalSingleValue,
    help:
      ArgumentHelp(
        "A method or control; give several (default: all; uniform beside --widths): \(WidthOptimizers.names.joined(separator: ", ")).",
        discussion:
          "With settings of its own behind a colon a method can be there several times: network-slimming:width=2,epochs=30%,direct. Beside the method's settings there are epochs and learning-rate of the search; direct leaves the projections out, transferred the network itself."
      ),
    completion: .list(WidthOptimizers.names))
  package var algorithm: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: "Files of widths to train too, as those of `streamline`; each goes by its file's name.", completion: .file())
  package var widths: [String] = []

  @OptionGroup package var transfer: TransferOptions
  @OptionGroup package var recipe: RecipeOptions
  @OptionGroup package var tracking: TrackOptions
  @OptionGroup package var compute: ComputeOptions
  @OptionGroup package var launcher: LauncherOptions
  @OptionGroup package var jobs: JobsOptions
  @OptionGroup package var sharing: SharingOptions
  @OptionGroup package var output: OutputOptions
  @OptionGroup package var general: GeneralOptions

  @Option(parsing: .unconditional, help: "Searches and trainings of each, for mean ± standard deviation.")
  package var seeds: Int = 3

  @Option(
    parsing: .unconditional, help: "Searches of each method, which the seeds take in turn (default: one a seed).")
  package var searches: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Add seeds until there are 5 and the 95 % interval of every difference is that narrow, for example 0.3 for ± 0.3 points of top-1.",
      valueName: "points"))
  package var untilDecided: Double?

  @Option(parsing: .unconditional, help: "The most seeds of --until-decided.")
  package var mostSeeds: Int = 20

  @Flag(name: .customLong("no-direct"), help: "Leave out the searches on the network itself.")
  package var skipsDirect = false

  package func validate() throws {
    guard let untilDecided else { return }
    guard untilDecided > 0, untilDecided.isFinite else {
      throw ValidationError("--until-decided takes points of top-1 above 0, for example 0.3")
    }
    if sharing.isShared {
      throw ValidationError("--until-decided looks at all seeds, and cannot be shared; give --seeds")
    }
    if mostSeeds < max(seeds, Self.leastSeeds) || mostSeeds > 1000 {
      throw ValidationError("--most-seeds must be at least --seeds and \(Self.leastSeeds), and at most 1000")
    }
  }

  /// The fewest seeds that --until-decided ends with: where it may end with three, the intervals of those comparisons that do hold the truth
  /// in half of the cases or less.
  package static let leastSeeds = 5

  package var names: [String] { algorithm.isEmpty ? (widths.isEmpty ? WidthOptimizers.names : ["uniform"]) : algorithm }
}
