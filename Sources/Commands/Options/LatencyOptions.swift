import ArgumentParser
import Networks
import Records
import Support
import Transfer

/// Budgets of time, and the table that they are counted by.
package struct LatencyOptions: ParsableArguments {
  package init() {}

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A budget in time for one image by --latency-table: a time (5ms) or relative to the network (0.8x). Several give widths for each.",
      valueName: "latency"))
  package var latency: [String] = []

  @Option(
    help: "What `latency measure` has written for this network; widths that are found are told with their time by it.",
    completion: .file())
  package var latencyTable: String?

  /// The table; nil where none is named.
  ///
  /// - Throws: `FileFailure` for what is no table, `UsageFailure` when it has not all forms of the network.
  package func table(for network: ResolvedNetwork) throws -> LatencyTable? {
    guard let latencyTable else {
      guard latency.isEmpty else {
        throw UsageFailure(
          "--latency \(latency[0]) needs a --latency-table, which says what is slow on the machine that is meant; make one with "
            + "width-transfer latency measure --network \(network.name) --output table.json")
      }
      return nil
    }
    let table = try LatencyTable(path: latencyTable)
    try table.requireForms(of: network)
    return table
  }

  /// The budgets of a network.
  ///
  /// - Throws: As ``table(for:)`` and `Budget`.
  package func budgets(of network: ResolvedNetwork) throws -> [Budget] {
    guard !latency.isEmpty, let table = try table(for: network) else { return [] }
    return try Budget.parse(latency, in: .latency(table), of: network)
  }
}

extension LatencyTable {
  /// Reads the file of a table.
  ///
  /// - Throws: `FileFailure`.
  package init(path: String) throws {
    self = try JSONFile.read(
      LatencyTable.self, path: path, expecting: "a latency table is what width-transfer latency measure writes")
  }
}
