import ArgumentParser

/// What is about data alone.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Looks at data sets: verify.",
    discussion: "Example: width-transfer data verify photos/", subcommands: [DataVerifyCommand.self])
}
