import ArgumentParser

/// Time as a budget beside MACs and parameters.
package struct LatencyCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "latency", abstract: "Tables of how long a network's layers take, by their widths.",
    discussion: "Example: width-transfer latency measure --network mobilenet_v2 --output mobilenet.latency.json",
    subcommands: [LatencyMeasureCommand.self])
}
