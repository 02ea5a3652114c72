extension Chart {
  /// A part of what a run spent.
  public struct CostPart: Sendable, Hashable {
    /// The bar that the part belongs to.
    public var bar: String
    /// The part: `Search`, `Uniform training`, …
    public var part: String
    /// The amount, in the chart's unit.
    public var amount: Double

    /// Creates a part.
    public init(bar: String, part: String, amount: Double) {
      self.bar = bar
      self.part = part
      self.amount = amount
    }
  }

  /// What was spent on what: one horizontal bar an alternative, one colour a part.
  public static func costBreakdown(
    _ parts: [CostPart], title: String, unit: String, caption: String, id: String
  ) -> Chart {
    var bars: [String] = []
    var names: [String] = []
    for part in parts where !bars.contains(part.bar) { bars.append(part.bar) }
    for part in parts where !names.contains(part.part) { names.append(part.part) }
    let colours = [Palette.warm, Palette.neutral, Palette.accent] + Palette.series.dropFirst(2)
    let data: [JSONValue] = parts.map { part in
      [
        "bar": .string(part.bar), "series": .string(part.part), "amount": .number(part.amount),
        "order": .integer(names.firstIndex(of: part.part) ?? 0),
      ]
    }
    let bar: JSONValue = [
      "mark": ["type": "bar", "height": ["band": 0.62]],
      "encoding": [
        "y": [
          "field": "bar", "type": "nominal", "sort": .array(bars.map(JSONValue.string)), "title": nil,
          "axis": ["labelLimit": 220, "labelFontSize": 12, "grid": false],
        ],
        "x": [
          "field": "amount", "type": "quantitative", "title": .string(unit), "stack": "zero",
          "axis": ["grid": true, "domain": false, "format": ",~f", "tickCount": 6],
        ],
        "order": ["field": "order", "type": "quantitative"],
        "color": Chart.colours(names, names.indices.map { colours[$0 % colours.count] }, symbol: .square),
        "tooltip": [
          ["field": "bar", "title": "Way"], ["field": "series", "title": "Part"],
          ["field": "amount", "title": .string(unit), "format": ".4~g"],
        ],
      ],
    ]
    return Chart(
      id: id, title: title, caption: caption,
      specification: layered(height: 34 + 40 * bars.count, data: data, layers: [bar]))
  }
}
