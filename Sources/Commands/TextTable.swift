/// Rows of text with columns that stand below each other.
package struct TextTable {
  private let numbers: Set<Int>
  private var rows: [[String]]

  /// Begins a table.
  ///
  /// - Parameter numbers: The columns of numbers, which end below each other.
  package init(_ header: [String], numbers: Set<Int> = []) {
    rows = [header]
    self.numbers = numbers
  }

  /// Adds a row.
  package mutating func add(_ row: [String]) { rows.append(row) }

  /// The table, a line a row.
  package var text: String {
    let columns = rows[0].indices
    let lengths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      columns.map { column in
        let space = String(repeating: " ", count: lengths[column] - row[column].count)
        if numbers.contains(column) { return space + row[column] }
        return column == columns.last ? row[column] : row[column] + space
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
