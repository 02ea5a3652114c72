import Networks
import Records

extension Chart {
  /// Channels of every width group: bars for the optimized network, ticks for the original one, stages set apart.
  public static func widths(_ groups: [RunSummary.Group], id: String = "widths") -> Chart {
    let data: [JSONValue] = groups.map { group in
      [
        "group": .string(group.id), "stage": .string(group.stage ?? "outside the stages"),
        "optimized": .integer(group.optimized), "original": .integer(group.original),
        "multiplier": .number(Double(group.optimized) / Double(max(1, group.original))),
      ]
    }
    let tooltip: JSONValue = [
      ["field": "group", "title": "Group"], ["field": "stage", "title": "Stage"],
      ["field": "original", "title": "Original channels"], ["field": "optimized", "title": "Optimized channels"],
      ["field": "multiplier", "title": "Multiplier", "format": ".2f"],
    ]
    let bars: JSONValue = [
      "mark": ["type": "bar", "cornerRadiusEnd": 2, "width": ["band": 0.66]],
      "encoding": [
        "y": ["field": "optimized", "type": "quantitative", "title": "Channels"],
        "color": key("Optimized"), "tooltip": tooltip,
      ],
    ]
    let ticks: JSONValue = [
      "mark": ["type": "tick", "opacity": 1, "orient": "horizontal", "thickness": 3, "width": ["band": 0.92]],
      "encoding": [
        "y": ["field": "original", "type": "quantitative"],
        "color": key("Original"), "tooltip": tooltip,
      ],
    ]
    let specification = layered(
      height: 260, data: data, layers: stageMarks(groups) + [bars, ticks], encoding: ["x": groupAxis(groups)])
    return Chart(
      id: id, title: "Channels by width group",
      caption: "Each bar is a width group: layers whose channel counts must agree. "
        + "The line across a bar is the width that the network has by itself.",
      specification: specification)
  }

  /// Optimized over original channels of every width group, one line a run.
  public static func multipliers(
    _ runs: [(name: String, groups: [RunSummary.Group])], id: String = "multipliers"
  ) -> Chart {
    let data: [JSONValue] = runs.flatMap { run in
      run.groups.map { group in
        [
          "series": .string(run.name), "group": .string(group.id),
          "multiplier": .number(Double(group.optimized) / Double(max(1, group.original))),
        ]
      }
    }
    let names = runs.map(\.name)
    let colours = names.indices.map { Palette.series[$0 % Palette.series.count] }
    let groups = runs.first?.groups ?? []
    let one: JSONValue = [
      "data": ["values": [["one": 1]]],
      "mark": ["type": "rule", "strokeWidth": 1.5, "color": .string(Palette.neutral)],
      "encoding": ["y": ["field": "one", "type": "quantitative"]],
    ]
    let lines: JSONValue = [
      "mark": ["type": "line", "interpolate": "linear", "strokeWidth": 2, "point": ["size": 44, "filled": true]],
      "encoding": [
        "x": groupAxis(groups),
        "y": [
          "field": "multiplier", "type": "quantitative", "title": "Multiplier (log scale)",
          "scale": ["type": "log", "base": 2, "nice": false, "padding": 14],
          "axis": ["format": ".2~f", "tickCount": 6],
        ],
        "color": Chart.colours(names, colours, symbol: .line),
        "tooltip": [
          ["field": "series", "title": "Run"], ["field": "group", "title": "Group"],
          ["field": "multiplier", "title": "Multiplier", "format": ".3f"],
        ],
      ],
    ]
    return Chart(
      id: id, title: "Width multipliers",
      caption: "Optimized over original channels; the line at 1 is the network's own width. "
        + "What lies above has grown, what lies below has shrunk.",
      specification: layered(height: 200, data: data, layers: stageMarks(groups, isLabelled: false) + [one, lines]))
  }

  private static func key(_ name: String) -> JSONValue {
    [
      "datum": .string(name), "type": "nominal",
      "scale": [
        "domain": ["Optimized", "Original"],
        "range": [.string(Palette.accent), .string(Palette.warm)],
      ],
      "legend": legend(.square),
    ]
  }

  static func groupAxis(_ groups: [RunSummary.Group]) -> JSONValue {
    [
      "field": "group", "type": "nominal", "sort": .array(groups.map { .string($0.id) }),
      "scale": ["domain": .array(groups.map { .string($0.id) })], "title": nil,
      "axis": ["labelAngle": -50, "labelLimit": 110, "labelOverlap": groups.count > 40 ? "greedy" : false],
    ]
  }

  // A dotted line and the stage's name before the first group of every stage.
  static func stageMarks(_ groups: [RunSummary.Group], isLabelled: Bool = true) -> [JSONValue] {
    var starts: [JSONValue] = []
    for (index, group) in groups.enumerated() {
      guard let stage = group.stage, index == 0 || groups[index - 1].stage != stage else { continue }
      starts.append(["group": .string(group.id), "stage": .string(stage)])
    }
    guard starts.count > 1 else { return [] }
    let x: JSONValue = [
      "field": "group", "type": "nominal", "sort": .array(groups.map { .string($0.id) }), "bandPosition": 0,
    ]
    let rule: JSONValue = [
      "data": ["values": .array(starts)],
      "mark": ["type": "rule", "strokeDash": [2, 3], "opacity": 0.7, "color": .string(Palette.neutral)],
      "encoding": ["x": x],
    ]
    let label: JSONValue = [
      "data": ["values": .array(starts)],
      "mark": ["type": "text", "align": "left", "baseline": "top", "dx": 6, "dy": 0],
      "encoding": ["x": x, "y": ["value": 0], "text": ["field": "stage"]],
    ]
    return isLabelled ? [rule, label] : [rule]
  }
}
