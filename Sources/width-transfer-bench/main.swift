import ArgumentParser
import Commands

/// What the scripts of this repository measure and compare with; not part of what users get.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "width-transfer-bench",
    abstract: "The Swift side of scripts/bench, scripts/parity, scripts/check-images and scripts/check-weights.",
    subcommands: [
      BenchmarkCommand.self, BenchmarkSearchCommand.self, BenchmarkImagesCommand.self, ParityCommand.self,
      ReadImagesCommand.self, ReadWeightsCommand.self,
    ])
}

BenchCommand.main(Array(ArgumentEncoding.arguments.dropFirst()))
