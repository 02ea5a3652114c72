import ArgumentParser
import Foundation
import Support

/// The root of the command line: one tree of commands, whichever of the two executables carries a command out.
package struct WidthTransferCommand: ParsableCommand {
  package init() {}

  package static let version = "0.1.0"

  package static let configuration = CommandConfiguration(
    commandName: "width-transfer",
    abstract: "Finds better channel counts for CNNs at equal MACs, on a shrunken copy of network and data.",
    discussion: """
      Example: width-transfer run --network resnet20 --dataset fashion-mnist --project width=0.5,depth=0.67 \
      --divisor 2 --output runs/first
      """,
    version: version,
    subcommands: [
      RunCommand.self, CompareCommand.self, SearchCommand.self, TrainCommand.self, EvaluateCommand.self,
      InspectCommand.self, DiagnoseCommand.self, StreamlineCommand.self, MergeCommand.self, ExperimentCommand.self,
      ProjectCommand.self, ExtrapolateCommand.self, OverheadCommand.self, ReportCommand.self,
      ExportCommand.self, LatencyCommand.self, DataCommand.self,
    ])

  /// Reads the process's arguments and carries out the command that they name.
  ///
  /// - Parameter perform: How a command is carried out; by default what needs LibTorch is handed to the engine.
  package static func main(perform: (inout any ParsableCommand) throws -> Void = { try $0.run() }) {
    StandardStreams.ensureOpen()
    Interruption.ignoreWriteSignals()
    do {
      try ArgumentEncoding.requireUTF8(ArgumentEncoding.words)
      let words = try ConfigurationFile.expand(Array(ArgumentEncoding.arguments.dropFirst()), Vocabulary())
      let arguments = try GridArguments.expand(words, Vocabulary())
      try requireKnownCommand(arguments)
      var command = try parsed(arguments)
      try Engine.$arguments.withValue([ArgumentEncoding.arguments[0]] + words) { try perform(&command) }
    } catch {
      Departure.leave(self, error)
    }
  }

  // A parser that does not know a flag takes its value for a name, and may complain of that.
  private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
    do { return try parseAsRoot(arguments) } catch {
      try MistypedFlags.refuse(arguments, Vocabulary())
      throw error
    }
  }

  private static func requireKnownCommand(_ arguments: [String]) throws {
    guard let word = arguments.first, !word.hasPrefix("-") else { return }
    let known = configuration.subcommands.map { $0.configuration }
    if let inner = known.first(where: { $0.commandName == word })?.subcommands, !inner.isEmpty, arguments.count > 1,
      !arguments[1].hasPrefix("-"), arguments[1] != "help"
    {
      let names = inner.compactMap { $0.configuration.commandName }
      guard !names.contains(arguments[1]) else { return }
      let near = nearestNames(to: arguments[1], in: names, count: 1)
      throw UsageFailure(
        "\(word) has no \(arguments[1])\(near.isEmpty ? "" : "; did you mean \(near[0])?") It has \(names.joined(separator: ", "))"
      )
    }
    guard word != "help", !known.contains(where: { $0.commandName == word }) else { return }
    let shown = known.filter { $0.shouldDisplay }.compactMap { $0.commandName }
    let near = nearestNames(to: word, in: shown, count: 2).joined(separator: " or ")
    throw UsageFailure(
      "there is no command called \(word); did you mean \(near)? Known are \(shown.joined(separator: ", "))")
  }
}
