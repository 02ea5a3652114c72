import ArgumentParser
import Foundation
import Support

/// The root of the command line.
@main
struct WidthTransferCommand: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "width-transfer",
    abstract: "Finds better channel counts for CNNs at equal MACs, on a shrunken copy of network and data.",
    discussion: """
      Example: width-transfer run --network resnet20 --dataset fashion-mnist --project width=0.5,resolution=14,data=20% \
      --divisor 2 --output runs/first
      """,
    version: version,
    subcommands: [
      RunCommand.self, CompareCommand.self, SearchCommand.self, TrainCommand.self, EvaluateCommand.self,
      InspectCommand.self,
      ProjectCommand.self, ExtrapolateCommand.self, OverheadCommand.self, ReportCommand.self, DataCommand.self,
      ParityCommand.self,
      BenchmarkCommand.self, BenchmarkSearchCommand.self, BenchmarkImagesCommand.self, ReadImagesCommand.self,
    ])

  static func main() {
    StandardStreams.ensureOpen()
    Interruption.ignoreWriteSignals()
    do {
      let arguments = try ConfigurationFile.expand(Array(CommandLine.arguments.dropFirst()), Vocabulary())
      try requireKnownCommand(arguments)
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch {
      leave(error)
    }
  }

  private static func requireKnownCommand(_ arguments: [String]) throws {
    guard let word = arguments.first, !word.hasPrefix("-") else { return }
    let known = configuration.subcommands.map { $0.configuration }
    guard word != "help", !known.contains(where: { $0.commandName == word }) else { return }
    let shown = known.filter { $0.shouldDisplay }.compactMap { $0.commandName }
    let near = nearestNames(to: word, in: shown, count: 2).joined(separator: " or ")
    throw UsageFailure(
      "there is no command called \(word); did you mean \(near)? Known are \(shown.joined(separator: ", "))")
  }

  /// Says what went wrong, once and on standard error, and ends with the exit code that stands for it.
  private static func leave(_ error: any Error) -> Never {
    switch error {
    case let failure as any Failure:
      StandardError.write("width-transfer: \(failure.message)\n")
      Foundation.exit(failure.exitCode.rawValue)
    case is StandardOutput.Closed:
      // As the shell would report a process that a closed pipe ended.
      Foundation.exit(141)
    case _ where exitCode(for: error) == .failure:
      StandardError.write("width-transfer: this is a bug, please report it with the command you gave: \(error)\n")
      Foundation.exit(ExitStatus.internalError.rawValue)
    default:
      exit(withError: error)
    }
  }
}
