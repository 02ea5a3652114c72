import Foundation
import Networks
import Records
import Support

extension Chart {
  /// The width multipliers of every method by group: a colour a method, dashed where the widths were transferred.
  public static func methodWidths(_ summary: ComparisonSummary, id: String = "method-widths") -> Chart {
    let arms = summary.methodArms
    let groups = summary.groups.map {
      RunSummary.Group(id: $0.id, stage: $0.stage, original: $0.original, optimized: $0.original)
    }
    let shown = arms.filter { $0.mode != .control || $0.isGiven }
    // A mean of random widths would say nothing of them; the uniform network has its line only when it is not the
    // network's own.
    let controls = arms.filter { $0.mode == .control && !$0.isGiven && (!$0.isUniform || isScaled($0)) }
    let rows = shown.flatMap { line($0, summary) }
    let controlRows = controls.flatMap { arm in
      arm.isUniform ? line(arm, summary) : arm.arm.members.flatMap { line(arm, $0, summary) }
    }
    let y: JSONValue = [
      "field": "multiplier", "type": "quantitative", "title": "Multiplier (log scale)",
      "scale": ["type": "log", "base": 2, "nice": false, "padding": 20],
      "axis": ["format": ".2~f", "values": .array(ticks(rows + controlRows).map(JSONValue.number))],
    ]
    let x = groupAxis(groups)
    let colour = methodColours(shown + controls)
    let one: JSONValue = [
      "data": ["values": [["one": 1]]],
      "mark": ["type": "rule", "strokeWidth": 1.5, "color": .string(Palette.neutral)],
      "encoding": ["y": ["field": "one", "type": "quantitative"]],
    ]
    let control: JSONValue = [
      "data": ["values": .array(controlRows)],
      "mark": ["type": "line", "strokeWidth": 1, "opacity": 0.55],
      "encoding": ["x": x, "y": y, "color": colour, "detail": ["field": "line", "type": "nominal"]],
    ]
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 2.25, "strokeCap": "butt"],
      "encoding": [
        "x": x, "y": y, "color": colour, "detail": ["field": "line", "type": "nominal"],
        "strokeDash": modeDashes(shown),
      ],
    ]
    let points: JSONValue = [
      "mark": ["type": "point", "filled": true, "size": groups.count > 30 ? 16 : 36, "opacity": 1],
      "encoding": [
        "x": x, "y": y, "color": colour,
        "tooltip": [
          ["field": "line", "title": "Widths"], ["field": "group", "title": "Group"],
          ["field": "original", "title": "Original channels"], ["field": "channels", "title": "Channels"],
          ["field": "multiplier", "title": "Multiplier", "format": ".3f"],
        ],
      ],
    ]
    return Chart(
      id: id, title: "Width multipliers of all methods",
      caption: "Channels over the network's own, mean over seeds; the line at 1 is the network's own width. "
        + (controls.contains { !$0.isUniform } ? "Thin grey: random widths, a line a seed." : ""),
      specification: layered(
        height: 340, data: rows,
        layers: stageMarks(groups) + [one] + (controlRows.isEmpty ? [] : [control])
          + (rows.isEmpty ? [] : [lines, points])))
  }

  private static func line(_ arm: MethodArm, _ summary: ComparisonSummary) -> [JSONValue] {
    zip(summary.groups, arm.multipliers).compactMap { group, multiplier in
      multiplier.map {
        [
          "line": .string(arm.label), "series": .string(arm.method), "mode": .string(arm.mode.rawValue),
          "group": .string(group.id), "multiplier": .number($0), "original": .integer(group.original),
          "channels": .string(Format.spread(arm.channels(group.id), 1)),
        ]
      }
    }
  }

  private static func line(
    _ arm: MethodArm, _ member: ComparisonSummary.Member, _ summary: ComparisonSummary
  ) -> [JSONValue] {
    summary.groups.compactMap { group in
      member.multiplier(group).map {
        [
          "line": .string("\(arm.label), seed \(member.seed)"), "series": .string(arm.method),
          "group": .string(group.id), "multiplier": .number($0),
        ]
      }
    }
  }

  private static func isScaled(_ arm: MethodArm) -> Bool {
    arm.multipliers.contains { abs(($0 ?? 1) - 1) > 0.02 }
  }

  private static func modeDashes(_ arms: [MethodArm]) -> JSONValue {
    let all: [ComparisonSummary.Mode] = [.direct, .transferred, .control]
    let modes = all.filter { mode in arms.contains { $0.mode == mode } }
    return [
      "field": "mode", "type": "nominal",
      "scale": [
        "domain": .array(modes.map { .string($0.rawValue) }),
        "range": .array(modes.map { $0 == .transferred ? [6, 4] : [1, 0] }),
      ],
      "legend": arms.contains { $0.mode != .control } ? modeLegend(symbolFill: nil) : nil,
    ]
  }

  // Doublings; over a small range the steps between them too, at the values that their labels say.
  private static func ticks(_ rows: [JSONValue]) -> [Double] {
    let values = rows.compactMap { row -> Double? in
      if case .number(let value) = row["multiplier"] { value } else { nil }
    }
    let least = min(1, values.min() ?? 1)
    let most = max(1, values.max() ?? 1)
    let doublings = (Int(log2(least).rounded(.down))...Int(log2(most).rounded(.up))).map { exp2(Double($0)) }
    guard most / least < 6 else { return doublings }
    return [0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4].filter { $0 > least * 0.8 && $0 < most * 1.25 }
  }
}
