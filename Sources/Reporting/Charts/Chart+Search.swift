import Foundation
import Networks
import Records
import Transfer

extension Chart {
  /// The cost that the search holds, step by step, beside its budget.
  public static func searchCost(_ points: [RunEvent.Search], id: String = "search-cost") -> Chart {
    let data: [JSONValue] = points.map {
      [
        "step": .integer($0.step), "macs": .number($0.macs / 1e6), "target": .number($0.targetMACs / 1e6),
        "stage": .string($0.stage), "loss": .number($0.loss),
      ]
    }
    let x: JSONValue = [
      "field": "step", "type": "quantitative", "title": "Search step", "scale": ["nice": false],
    ]
    let line: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 2.5],
      "encoding": [
        "x": x,
        "y": ["field": "macs", "type": "quantitative", "title": "Million MACs", "scale": ["zero": false]],
        "color": key("Held by the search"),
        "tooltip": [
          ["field": "step", "title": "Step"], ["field": "stage", "title": "Stage"],
          ["field": "macs", "title": "Million MACs", "format": ".4~g"],
          ["field": "target", "title": "Budget", "format": ".4~g"],
          ["field": "loss", "title": "Loss", "format": ".4~g"],
        ],
      ],
    ]
    let target: JSONValue = [
      "mark": ["type": "line", "strokeDash": [5, 4], "strokeWidth": 1.5],
      "encoding": ["x": x, "y": ["field": "target", "type": "quantitative"], "color": key("Budget")],
    ]
    let hasBudget = points.contains { $0.targetMACs > 0 }
    return Chart(
      id: id, title: "Cost held by the search",
      caption: "MACs of the widths that the search holds (an expectation where the search is probabilistic)"
        + "\(hasBudget ? ", beside its budget" : ""). Dotted: a new stage of the search begins.",
      specification: layered(
        height: 240, data: data, layers: phaseMarks(points) + (hasBudget ? [target] : []) + [line]))
  }

  /// The width of every group, step by step.
  ///
  /// - Parameter stages: The stage of each width group, for the colours.
  public static func searchWidths(
    _ points: [RunEvent.Search], stages: [(group: String, stage: String)], id: String = "search-widths"
  ) -> Chart {
    let stageOfGroup = Dictionary(stages.map { ($0.group, $0.stage) }, uniquingKeysWith: { first, _ in first })
    var names: [String] = []
    for stage in stages.map(\.stage) where !names.contains(stage) { names.append(stage) }
    let rest = "outside the stages"
    let data: [JSONValue] = points.flatMap { point in
      point.widths.sorted { $0.key < $1.key }.map { group, width in
        [
          "step": .integer(point.step), "group": .string(group), "width": .number(width),
          "series": .string(stageOfGroup[group] ?? rest),
        ]
      }
    }
    if points.contains(where: { $0.widths.keys.contains { stageOfGroup[$0] == nil } }) { names.append(rest) }
    let colours = names.indices.map { Palette.series[$0 % Palette.series.count] }
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 1.5, "opacity": 0.8],
      "encoding": [
        "x": ["field": "step", "type": "quantitative", "title": "Search step", "scale": ["nice": false]],
        "y": [
          "field": "width", "type": "quantitative", "title": "Channels (log scale)",
          "scale": ["type": "log", "base": 2, "nice": false, "padding": 10],
          "axis": ["format": "~g", "values": .array(powersOfTwo(points))],
        ],
        "detail": ["field": "group", "type": "nominal"],
        "color": Chart.colours(names, colours, symbol: .line),
        "tooltip": [
          ["field": "group", "title": "Group"], ["field": "series", "title": "Stage"],
          ["field": "step", "title": "Step"], ["field": "width", "title": "Channels", "format": ".1f"],
        ],
      ],
    ]
    return Chart(
      id: id, title: "Widths held by the search",
      caption: "A line for every width group of the searched network"
        + (names.count > 1 ? ", coloured by stage." : "."),
      specification: layered(height: 240, data: data, layers: phaseMarks(points) + [lines]))
  }

  // Channels from half the least to twice the most width, each twice the one before.
  private static func powersOfTwo(_ points: [RunEvent.Search]) -> [JSONValue] {
    let widths = points.flatMap(\.widths.values).filter { $0 > 0 && $0.isFinite }
    guard let least = widths.min(), let most = widths.max() else { return [] }
    return (Int(log2(least).rounded(.down))...Int(log2(most).rounded(.up))).map { .number(exp2(Double($0))) }
  }

  private static func key(_ name: String) -> JSONValue {
    [
      "datum": .string(name), "type": "nominal",
      "scale": [
        "domain": ["Held by the search", "Budget"], "range": [.string(Palette.accent), .string(Palette.warm)],
      ],
      "legend": legend(.line),
    ]
  }

  // A dotted line where the search begins to do something else.
  private static func phaseMarks(_ points: [RunEvent.Search]) -> [JSONValue] {
    let starts: [JSONValue] = zip(points, points.dropFirst()).compactMap { before, after in
      before.stage == after.stage ? nil : ["step": .integer(before.step), "phase": .string(after.stage)]
    }
    guard !starts.isEmpty, starts.count <= 8 else { return [] }
    let x: JSONValue = ["field": "step", "type": "quantitative"]
    let rule: JSONValue = [
      "data": ["values": .array(starts)],
      "mark": ["type": "rule", "strokeDash": [2, 3], "opacity": 0.7, "color": .string(Palette.neutral)],
      "encoding": ["x": x],
    ]
    let label: JSONValue = [
      "data": ["values": .array(starts)],
      "mark": ["type": "text", "align": "left", "baseline": "top", "dx": 6],
      "encoding": ["x": x, "y": ["value": 0], "text": ["field": "phase"]],
    ]
    return [rule, label]
  }
}
