import Foundation
import Networks
import Records
import Support

extension Chart {
  /// Held-out top-1 of every arm of a comparison: a dot a seed, mean and deviation, the uniform network's as a band.
  public static func methodAccuracies(_ summary: ComparisonSummary, id: String = "method-accuracies") -> Chart {
    let arms = summary.methodArms
    let labels = arms.map { JSONValue.string($0.label) }
    let seeds: [JSONValue] = arms.flatMap { arm in
      arm.arm.members.filter(\.result.top1.isFinite).map { member in
        [
          "arm": .string(arm.label), "series": .string(arm.method), "seed": .integer(member.seed),
          "top1": .number(member.result.top1),
        ]
      }
    }
    let y: JSONValue = [
      "field": "arm", "type": "nominal", "sort": .array(labels), "scale": ["domain": .array(labels)], "title": nil,
      "axis": ["labelLimit": 340, "labelFontSize": 12, "grid": false],
    ]
    func x(_ field: String) -> JSONValue {
      [
        "field": .string(field), "type": "quantitative", "title": .string(accuracyTitle), "scale": ["zero": false],
        "axis": ["grid": true, "domain": false, "tickCount": 6],
      ]
    }
    let colour = methodColours(arms, isKeyed: false)
    let dots: JSONValue = [
      "mark": ["type": "point", "filled": true, "size": 18, "opacity": 0.6, "yOffset": 8],
      "encoding": [
        "x": x("top1"), "y": y, "color": colour,
        "tooltip": [
          ["field": "arm", "title": "Widths"], ["field": "seed", "title": "Seed"],
          ["field": "top1", "title": "Top-1 (%)", "format": ".2f"],
        ],
      ],
    ]
    let ranges = means(arms).filter { $0["low"] != nil }
    let range: JSONValue = [
      "data": ["values": .array(ranges)],
      "mark": ["type": "rule", "strokeWidth": 2],
      "encoding": [
        "x": x("low"), "x2": ["field": "high"], "y": y, "color": colour,
      ],
    ]
    let mean: JSONValue = [
      "data": ["values": .array(means(arms))],
      "mark": ["type": "point", "filled": true, "size": 100, "opacity": 1],
      "encoding": [
        "x": x("mean"), "y": y, "color": colour,
        "shape": modeShapes(arms, isKeyed: false), "tooltip": meanTooltip,
      ],
    ]
    let hasSpread = !ranges.isEmpty
    return Chart(
      id: id, title: "Accuracy of every method's widths",
      caption: (hasSpread
        ? "Large: mean over seeds, with a line of one standard deviation to each side; small: every seed. "
        : "One seed. ") + bandCaption(arms),
      specification: layered(
        height: 30 + 30 * arms.count, data: seeds,
        layers: band(arms, along: "x") + (hasSpread ? [dots, range, mean] : [mean])))
  }

  /// Held-out top-1 against what the search cost; direct and transferred search of one method are joined by a line.
  public static func accuracyAgainstSearchCost(
    _ summary: ComparisonSummary, id: String = "accuracy-against-cost"
  ) -> Chart {
    let all = summary.methodArms
    let methods = summary.searchedMethods
    // No place on a logarithmic axis for what cost nothing.
    let arms = all.filter { ($0.searchMacs?.mean ?? 0) > 0 && $0.mode != .control && $0.top1 != nil }
    // The controls' names stand in the padding.
    var axis: JSONValue = ["format": "~s", "grid": true, "tickCount": 5]
    axis["values"] = costTicks(arms).map { .array($0.map(JSONValue.number)) }
    let x: JSONValue = [
      "field": "cost", "type": "quantitative",
      "title": "MACs of the search, forward and backward (log scale, cheaper to the right)",
      // As in the paper's figures: the direct search first, then what saves more and more.
      "scale": ["type": "log", "nice": false, "padding": 56, "reverse": true], "axis": axis,
    ]
    func y(_ field: String) -> JSONValue {
      ["field": .string(field), "type": "quantitative", "title": .string(accuracyTitle), "scale": ["zero": false]]
    }
    let colour = methodColours(arms)
    // Where a method was transferred in several ways, a line for each kind, from the direct search on: of all kinds in one line, nobody
    // sees which of them costs accuracy.
    let kinds = shrunkParts(arms, summary)
    let isOneKind = Set(kinds.values).count < 2
    let rows = means(arms).enumerated().map { index, row in
      var row = row
      row["kind"] = .string(kinds[index]?.rawValue ?? arms[index].mode.rawValue)
      return row
    }
    let lines =
      isOneKind
      ? rows
      : ShrunkPart.allCases.filter(Set(kinds.values).contains).flatMap { kind in
        rows.indices.filter { kinds[$0] == kind || arms[$0].mode == .direct }.map { index in
          var row = rows[index]
          row["way"] = .string(kind.rawValue)
          return row
        }
      }
    var lineEncoding: JSONValue = ["x": x, "y": y("mean"), "color": colour]
    if !isOneKind { lineEncoding["strokeDash"] = kindDashes(kinds) }
    let joined: JSONValue = [
      "data": ["values": .array(lines)],
      "mark": ["type": "line", "strokeWidth": 2, "opacity": 0.7], "encoding": lineEncoding,
    ]
    // Vega complains of a layer without rows.
    let ranges = means(arms).filter { $0["low"] != nil }
    let range: JSONValue = [
      "data": ["values": .array(ranges)],
      "mark": ["type": "rule", "strokeWidth": 2],
      "encoding": ["x": x, "y": y("low"), "y2": ["field": "high"], "color": colour],
    ]
    let points: JSONValue = [
      "mark": ["type": "point", "filled": true, "size": 100, "opacity": 1],
      "encoding": [
        "x": x, "y": y("mean"), "color": colour, "shape": isOneKind ? modeShapes(arms) : kindShapes(kinds),
        "tooltip": meanTooltip,
      ],
    ]
    let controls = all.filter { $0.mode == .control && $0.top1 != nil }.enumerated().flatMap { index, arm in
      level(arm, isAtEnd: index.isMultiple(of: 2))
    }
    return Chart(
      id: id, title: "Accuracy against the cost of the search",
      caption: (ranges.isEmpty ? "One seed. " : "Mean and standard deviation over seeds. ")
        + (methods.contains { $0.direct != nil && $0.transferred != nil }
          ? isOneKind
            ? "A line joins a method's transferred search with its direct one. "
            : "A line joins a method's direct search with what was transferred from networks, images or both made smaller. "
          : "")
        + bandCaption(all),
      specification: layered(
        height: 300, data: rows,
        layers: band(all, along: "y") + controls + (ranges.isEmpty ? [joined, points] : [joined, range, points])))
  }

  // By the position of the arm, what its search made smaller.
  private static func shrunkParts(_ arms: [MethodArm], _ summary: ComparisonSummary) -> [Int: ShrunkPart] {
    arms.indices.reduce(into: [:]) { parts, index in
      guard arms[index].mode == .transferred,
        let projection = arms[index].arm.projection ?? summary.projection
      else { return }
      parts[index] = ShrunkPart(projection, resolution: summary.resolution)
    }
  }

  private static func kindShapes(_ kinds: [Int: ShrunkPart]) -> JSONValue {
    let shapes: [ShrunkPart: JSONValue] = [.network: "diamond", .images: "triangle-up", .both: "square"]
    let known = ShrunkPart.allCases.filter(Set(kinds.values).contains)
    let direct = ComparisonSummary.Mode.direct.rawValue
    return [
      "field": "kind", "type": "nominal",
      "scale": [
        "domain": .array([.string(direct)] + known.map { .string($0.rawValue) }),
        "range": .array(["circle"] + known.map { shapes[$0] ?? "circle" }),
      ],
      "legend": modeLegend(symbolFill: Palette.neutral),
    ]
  }

  private static func kindDashes(_ kinds: [Int: ShrunkPart]) -> JSONValue {
    let dashes: [ShrunkPart: JSONValue] = [.network: [1, 0], .images: [2, 3], .both: [7, 4]]
    let known = ShrunkPart.allCases.filter(Set(kinds.values).contains)
    return [
      "field": "way", "type": "nominal",
      "scale": [
        "domain": .array(known.map { .string($0.rawValue) }), "range": .array(known.map { dashes[$0] ?? [1, 0] }),
      ],
      "legend": .null,
    ]
  }

  // 1, 2 and 5 of every power of ten; of many powers, the powers alone. Over a small range Vega finds better ones.
  private static func costTicks(_ arms: [MethodArm]) -> [Double]? {
    let costs = arms.compactMap(\.searchMacs?.mean).filter { $0 > 0 && $0.isFinite }
    guard let least = costs.min(), let most = costs.max(), most > 4 * least else { return nil }
    let powers = Int(log10(least).rounded(.down))...Int(log10(most).rounded(.up))
    return powers.flatMap { power in (powers.count > 5 ? [1] : [1, 2, 5]).map { $0 * pow(10, Double(power)) } }
      .filter { $0 > least / 2 && $0 < most * 2 }
  }

  static let accuracyTitle = CurveMetric.top1.title

  /// A colour a method; the uniform and the random network are grey.
  static func methodColours(_ arms: [MethodArm], isKeyed: Bool = true) -> JSONValue {
    var names: [String] = []
    for arm in arms where !names.contains(arm.method) { names.append(arm.method) }
    let searched = names.filter { name in arms.contains { $0.method == name && ($0.mode != .control || $0.isGiven) } }
    let colours = names.map { name in
      searched.firstIndex(of: name).map { Palette.series[$0 % Palette.series.count] } ?? Palette.neutral
    }
    var channel = Chart.colours(names, colours, symbol: .line)
    channel["legend"] = .null
    if isKeyed, names.count > 1 {
      // In a narrow window the names go in two columns.
      var legend = Chart.legend(.line)
      legend["columns"] = ["expr": "width < 380 ? 2 : 6"]
      if names.contains(where: { $0.count > 24 }) {
        // Methods with settings of their own, which differ in these.
        legend["columns"] = ["expr": "width < 560 ? 1 : 2"]
        legend["labelLimit"] = 340
      }
      channel["legend"] = legend
    }
    return channel
  }

  // A disc for a direct search, a diamond for a transferred one.
  private static func modeShapes(_ arms: [MethodArm], isKeyed: Bool = true) -> JSONValue {
    let shapes: [ComparisonSummary.Mode: JSONValue] = [
      .control: "square", .direct: "circle", .transferred: "diamond",
    ]
    let modes = ComparisonSummary.Mode.allCases.filter { mode in arms.contains { $0.mode == mode } }
    return [
      "field": "mode", "type": "nominal",
      "scale": [
        "domain": .array(modes.map { .string($0.rawValue) }), "range": .array(modes.map { shapes[$0] ?? "circle" }),
      ],
      "legend": isKeyed ? modeLegend(symbolFill: Palette.neutral) : nil,
    ]
  }

  /// A legend below the chart of where was searched.
  static func modeLegend(symbolFill: String?) -> JSONValue {
    [
      "orient": "bottom", "direction": "horizontal", "title": nil, "symbolStrokeColor": .string(Palette.neutral),
      "symbolFillColor": symbolFill.map(JSONValue.string) ?? .string("transparent"),
      "symbolType": symbolFill == nil ? "stroke" : nil, "symbolStrokeWidth": symbolFill == nil ? 2 : 0,
      "symbolSize": symbolFill == nil ? 400 : 100,
    ]
  }

  private static func means(_ arms: [MethodArm]) -> [JSONValue] {
    arms.compactMap { arm in
      guard let top1 = arm.top1 else { return nil }
      var row: JSONValue = [
        "arm": .string(arm.label), "series": .string(arm.method), "mode": .string(arm.mode.rawValue),
        "mean": .number(top1.mean), "summary": .string(Format.spread(top1, 2)),
        "effort": .string(arm.searchMacs.map { Format.si($0.mean) } ?? "none"),
      ]
      row["cost"] = arm.searchMacs.map { .number($0.mean) }
      row["low"] = top1.standardDeviation.map { .number(top1.mean - $0) }
      row["high"] = top1.standardDeviation.map { .number(top1.mean + $0) }
      return row
    }
  }

  private static let meanTooltip: JSONValue = [
    ["field": "arm", "title": "Widths"], ["field": "summary", "title": "Top-1 (%)"],
    ["field": "effort", "title": "MACs of the search"],
  ]

  private static func uniform(_ arms: [MethodArm]) -> Spread? { arms.lazy.filter(\.isUniform).compactMap(\.top1).first }

  // What stands behind the methods, in words.
  private static func bandCaption(_ arms: [MethodArm]) -> String {
    guard let uniform = uniform(arms) else { return "" }
    return uniform.standardDeviation == nil
      ? "The grey line is the uniform network's accuracy." : "The band is the uniform network's mean and deviation."
  }

  // The uniform network's mean and deviation, across the whole chart.
  private static func band(_ arms: [MethodArm], along channel: String) -> [JSONValue] {
    guard let top1 = uniform(arms) else { return [] }
    func position(_ value: Double) -> JSONValue { ["datum": .number(value), "type": "quantitative"] }
    func layer(_ mark: JSONValue, _ encoding: JSONValue) -> JSONValue {
      ["data": ["values": [[:]]], "mark": mark, "encoding": encoding]
    }
    let colour = JSONValue.string(Palette.neutral)
    let mean = layer(
      ["type": "rule", "strokeWidth": 1.5, "color": colour], .object([channel: position(top1.mean)]))
    guard let deviation = top1.standardDeviation else { return [mean] }
    let range = layer(
      ["type": "rect", "opacity": 0.2, "color": colour],
      .object([
        channel: position(top1.mean - deviation), channel + "2": ["datum": .number(top1.mean + deviation)],
      ]))
    return [range, mean]
  }

  // A control's mean across the chart, with its name at one end; the uniform network's line is drawn with its band.
  private static func level(_ arm: MethodArm, isAtEnd: Bool) -> [JSONValue] {
    guard let top1 = arm.top1 else { return [] }
    let data: JSONValue = ["values": [["name": .string(arm.method.lowercased())]]]
    let y: JSONValue = ["datum": .number(top1.mean), "type": "quantitative"]
    let line: JSONValue = [
      "data": data,
      "mark": ["type": "rule", "strokeDash": [2, 3], "color": .string(Palette.neutral)],
      "encoding": ["y": y],
    ]
    let name: JSONValue = [
      "data": data,
      "mark": [
        "type": "text", "align": isAtEnd ? "right" : "left", "baseline": "bottom", "dy": -3, "dx": isAtEnd ? -4 : 4,
      ],
      "encoding": ["x": ["value": isAtEnd ? "width" : 0], "y": y, "text": ["field": "name"]],
    ]
    return arm.isUniform ? [name] : [line, name]
  }
}
