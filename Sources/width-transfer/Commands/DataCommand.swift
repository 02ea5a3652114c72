import ArgumentParser

/// What is about data alone.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Data sets alone: verify, pack.",
    discussion: "Example: width-transfer data verify photos/",
    subcommands: [DataVerifyCommand.self, DataPackCommand.self])
}
