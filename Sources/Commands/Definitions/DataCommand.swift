import ArgumentParser

/// What is about data alone.
package struct DataCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Data sets alone: download, verify, pack.",
    discussion: "Example: width-transfer data verify photos/",
    subcommands: [DataDownloadCommand.self, DataVerifyCommand.self, DataPackCommand.self])
}
