import Diagnosis
import Records
import Support

extension Chart {
  private static func verdictColours(_ symbol: LegendSymbol) -> JSONValue {
    colours(
      ["too narrow", "wide enough", "undecided"], [Palette.warm, Palette.accent, Palette.neutral], symbol: symbol)
  }

  private static func width(_ unit: String) -> JSONValue {
    [
      "field": "width", "type": "quantitative", "title": .string(unit.prefix(1).uppercased() + unit.dropFirst()),
      "scale": ["type": "log", "base": 2, "nice": false, "padding": 14], "axis": ["format": "d"],
    ]
  }

  /// D of every seed over the width.
  static func sweepDrops(_ summary: WidthSweepSummary) -> Chart {
    let data: [JSONValue] = summary.points.flatMap { point in
      point.results.compactMap { result in
        result.finding.drop.map {
          [
            "width": .integer(point.width), "drop": .number($0), "series": .string(result.finding.pattern.verdict),
            "seed": .integer(result.seed),
          ]
        }
      }
    }
    let limits: JSONValue = [
      "data": ["values": [["limit": 0.15], ["limit": 0.3]]],
      "mark": ["type": "rule", "strokeDash": [3, 3], "color": .string(Palette.neutral)],
      "encoding": ["y": ["field": "limit", "type": "quantitative"]],
    ]
    let points: JSONValue = [
      "mark": ["type": "point", "filled": true, "size": 55, "opacity": 0.8],
      "encoding": [
        "x": width(summary.unit), "y": ["field": "drop", "type": "quantitative", "title": "D"],
        "color": verdictColours(.square),
        "tooltip": [
          ["field": "width"], ["field": "seed"], ["field": "drop", "format": ".2f"],
          ["field": "series", "title": "verdict"],
        ],
      ],
    ]
    return Chart(
      id: "sweep-drops", title: "The part of the rise that is gone at the end",
      caption:
        "A point a seed. At most 0.15 is wide enough, at least 0.30 too narrow; seeds without a rise have no point.",
      specification: layered(height: 260, data: data, layers: [limits, points]))
  }

  /// The score over the width.
  static func sweepScores(_ summary: WidthSweepSummary) -> Chart {
    let data: [JSONValue] = summary.points.flatMap { point in
      point.results.map { ["width": .integer(point.width), "score": .number($0.score)] }
    }
    func y(_ aggregate: JSONValue?) -> JSONValue {
      var channel: JSONValue = [
        "field": "score", "type": "quantitative", "title": .string(summary.score), "scale": ["zero": false],
      ]
      channel["aggregate"] = aggregate
      return channel
    }
    let mean: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 2, "color": .string(Palette.accent)],
      "encoding": ["x": width(summary.unit), "y": y("mean")],
    ]
    let seeds: JSONValue = [
      "mark": ["type": "point", "size": 30, "opacity": 0.5, "color": .string(Palette.accent)],
      "encoding": ["x": width(summary.unit), "y": y(nil)],
    ]
    return Chart(
      id: "sweep-scores", title: "What the width buys", caption: "A point a seed; the line is their mean.",
      specification: layered(height: 260, data: data, layers: [mean, seeds]))
  }

  /// V over the epochs at one width.
  static func sweepCurves(_ point: WidthSweepSummary.Point, unit: String) -> Chart {
    let data: [JSONValue] = point.results.flatMap { result -> [JSONValue] in
      // A screenful of samples is all that a picture of this size can show.
      let stride = max(1, result.curve.values.count / 200)
      return result.curve.values.enumerated().compactMap { epoch, value in
        guard let value, epoch % stride == 0 || epoch == result.curve.values.count - 1 else { return nil }
        return [
          "seed": .integer(result.seed), "epoch": .integer(epoch), "value": .number(value),
          "series": .string(result.finding.pattern.verdict),
        ]
      }
    }
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 1.2, "opacity": 0.75],
      "encoding": [
        "x": [
          "field": "epoch", "type": "quantitative", "title": "Epoch", "scale": ["nice": false], "axis": ["format": "d"],
        ],
        "y": ["field": "value", "type": "quantitative", "title": "V", "axis": ["tickCount": 4]],
        "detail": ["field": "seed", "type": "nominal"], "color": verdictColours(.line),
      ],
    ]
    return Chart(
      id: "sweep-\(point.width)", title: "\(point.width) \(unit): \(point.agreement.pattern.verdict)",
      caption: point.agreement.counts.sorted { $0.key < $1.key }.map { "\($1) × \($0)" }.joined(separator: ", ") + ".",
      specification: layered(height: 130, data: data, layers: [lines]))
  }
}
