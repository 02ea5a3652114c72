import Support

extension NetworkSummary {
  /// The summary for a terminal: one line a layer, then the width groups, then the totals.
  public func table() -> String {
    // A column for time where a table tells it.
    let layerTable = TextTable(
      columns: [.left("layer"), .left("kind"), .right("output"), .right("MACs"), .right("parameters")]
        + (latency == nil ? [] : [.right("latency")]) + [.left("width group")],
      rows: layers.map { layer in
        [
          layer.name, layer.kind, layer.output.map(String.init).joined(separator: "×"),
          layer.macs > 0 ? Format.count(layer.macs) : "", layer.parameters > 0 ? Format.count(layer.parameters) : "",
        ] + (latency == nil ? [] : [layer.latency.map(Format.milliseconds) ?? ""]) + [layer.widthGroup ?? ""]
      })
    let groupTable = TextTable(
      columns: [.left("width group"), .right("width"), .left(""), .left("stage"), .left("block"), .left("layers")],
      rows: widthGroups.map { group in
        [
          group.id, String(group.width),
          group.fixed == true ? "fixed" : group.granularity.map { "a multiple of \($0)" } ?? "",
          group.stage.map { stages[$0].name } ?? "", group.block.map(String.init) ?? "",
          shortList(group.layers, limit: 3),
        ]
      })
    let passes = layers.contains { $0.kind == "passed" }
    let stageLine = stages.map { "\($0.name): \($0.blocks.count)" }.joined(separator: ", ")
    return """
      \(network), input \(input.map(String.init).joined(separator: "×"))

      \(layerTable.text())

      \(groupTable.text())

      blocks       \(stages.isEmpty ? "no stages" : stageLine)
      width groups \(widthGroups.count)
      MACs         \(Format.count(macs))  (one per multiply-accumulate of convolutions and \(passes ? "matrix products" : "linear layers"))
      parameters   \(Format.count(parameters))
      activations  \(Format.count(activations))
      """ + (latency.map { "\nlatency      \(Format.milliseconds($0))  (of one image, by the table)" } ?? "")
  }
}

/// Aligned columns of text.
private struct TextTable {
  enum Column {
    case left(String)
    case right(String)

    var title: String {
      switch self {
      case .left(let title), .right(let title): title
      }
    }
  }

  var columns: [Column]
  var rows: [[String]]

  func text() -> String {
    let widths = columns.indices.map { column in
      rows.map { $0[column].count }.reduce(columns[column].title.count, max)
    }
    let lines = [columns.map(\.title), widths.map { String(repeating: "─", count: $0) }] + rows
    return lines.map { line(of: $0, widths) }.joined(separator: "\n")
  }

  private func line(of cells: [String], _ widths: [Int]) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let blank = String(repeating: " ", count: widths[index] - cell.count)
      if index > 0 { line += "  " }
      switch columns[index] {
      case .left: line += cell + blank
      case .right: line += blank + cell
      }
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
