import ArgumentParser
import Foundation
import Support

/// The root of the command line.
@main
struct WidthTransferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "width-transfer",
    abstract: "Finds better channel counts for CNNs at equal MACs, on a shrunken copy of network and data.",
    discussion: """
      Example: width-transfer run --network resnet20 --dataset fashion-mnist --project width=0.5,resolution=14,data=20% \
      --divisor 2 --output runs/first
      """,
    version: "0.1.0",
    subcommands: [
      RunCommand.self, SearchCommand.self, TrainCommand.self, EvaluateCommand.self, InspectCommand.self,
      ProjectCommand.self, ExtrapolateCommand.self, OverheadCommand.self, ReportCommand.self, ParityCommand.self,
      BenchmarkCommand.self,
    ])

  static func main() {
    Interruption.listen()
    do {
      let arguments = try ConfigurationFile.expand(Array(CommandLine.arguments.dropFirst()))
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch let failure as any Failure {
      FileHandle.standardError.write(Data("width-transfer: \(failure.message)\n".utf8))
      Foundation.exit(failure.exitCode.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
