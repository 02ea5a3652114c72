import Records
import Support

/// Table 1 of Chen, Bu and Yan (2024) as it stands in the source, with nothing measured.
package enum Phenomena {
  private struct Row: Encodable {
    var phenomenon: String
    var seen: String
    var measure: String
    var command: String?
  }

  /// Prints the table.
  static func tell(asJSON: Bool) throws {
    if asJSON {
      return try Output.json(
        Phenomenon.allCases.map {
          Row(phenomenon: $0.rawValue, seen: $0.seen, measure: $0.measure, command: $0.command)
        })
    }
    var table = TextTable(["phenomenon", "what is seen", "measure", "for your own network"])
    for row in Phenomenon.allCases { table.add([row.rawValue, row.seen, row.measure, row.command ?? "–"]) }
    try Output.text("\(table.text)\n\nWith --output FOLDER each is measured on a small problem.")
  }
}
