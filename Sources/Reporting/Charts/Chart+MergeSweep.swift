import Diagnosis
import Records
import Support

extension Chart {
  /// What is left of layers that are wide enough and too narrow, over the threshold.
  static func mergedParts(_ summary: MergeSweepSummary) -> Chart {
    let data: [JSONValue] = summary.members.flatMap { member in
      member.points.flatMap { point -> [JSONValue] in
        [("wide enough", point.survival.wideEnough), ("too narrow", point.survival.tooNarrow)].compactMap {
          name, part in
          part.map {
            [
              "threshold": .number(point.threshold), "left": .number(100 * $0), "series": .string(name),
              "seed": .integer(member.seed),
            ]
          }
        }
      }
    }
    let x: JSONValue = ["field": "threshold", "type": "quantitative", "title": "β"]
    func y(_ aggregate: JSONValue?) -> JSONValue {
      var channel: JSONValue = ["field": "left", "type": "quantitative", "title": "Channels left (%)"]
      channel["aggregate"] = aggregate
      return channel
    }
    let colour = colours(["too narrow", "wide enough"], [Palette.warm, Palette.accent], symbol: .line)
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 2], "encoding": ["x": x, "y": y("mean"), "color": colour],
    ]
    let points: JSONValue = [
      "mark": ["type": "point", "filled": true, "size": 24, "opacity": 0.6],
      "encoding": [
        "x": x, "y": y(nil), "color": colour,
        "tooltip": [
          ["field": "series", "title": "layers"], ["field": "seed"], ["field": "threshold", "title": "β"],
          ["field": "left", "title": "left (%)", "format": ".1f"],
        ],
      ],
    ]
    return Chart(
      id: "merged-parts", title: "What is left of layers of each kind",
      caption: "The mean part of a layer's channels; a point a seed, the line their mean.",
      specification: layered(height: 260, data: data, layers: [lines, points]))
  }

  /// The accuracy over the parameters that are left.
  static func mergedAccuracies(_ summary: MergeSweepSummary) -> Chart {
    let data: [JSONValue] = summary.members.flatMap { member -> [JSONValue] in
      func row(_ state: MergeRecord.State, _ threshold: Double) -> JSONValue? {
        state.top1.map {
          [
            "parameters": .number(100 * Double(state.parameters) / Double(max(1, member.before.parameters))),
            "top1": .number($0), "threshold": .number(threshold), "seed": .integer(member.seed),
          ]
        }
      }
      return [row(member.before, 0)].compactMap { $0 } + member.points.compactMap { row($0.after, $0.threshold) }
    }
    let encoding: JSONValue = [
      "x": [
        "field": "parameters", "type": "quantitative", "title": "Parameters left (%)",
        "scale": ["zero": false, "reverse": true],
      ],
      "y": ["field": "top1", "type": "quantitative", "title": "Top-1 (%)"],
      "detail": ["field": "seed", "type": "nominal"], "order": ["field": "threshold"],
      "tooltip": [
        ["field": "seed"], ["field": "threshold", "title": "β"],
        ["field": "parameters", "title": "parameters (%)", "format": ".1f"],
        ["field": "top1", "title": "top-1 (%)", "format": ".2f"],
      ],
    ]
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 1.5, "color": .string(Palette.accent), "point": true],
      "encoding": encoding,
    ]
    return Chart(
      id: "merged-accuracies", title: "What it costs",
      caption: "A line a seed, a point each threshold; without further training.",
      specification: layered(height: 260, data: data, layers: [lines]))
  }
}
