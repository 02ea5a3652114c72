import Diagnosis
import Records
import Support

extension WidthPattern {
  /// The colour that stands for the verdict.
  var colour: String {
    switch self {
    case .increaseToSaturate: Palette.accent
    case .decreaseToSaturate: Palette.warm
    case .ambiguous, .flat, .neverRose, .undetermined: Palette.neutral
    }
  }
}

extension DiagnosisSummary.Group {
  /// A short name for charts: the layers' numbers, or the group's id.
  var label: String { numbers.isEmpty ? id : LayerNumbers.text(numbers) }
}

extension Chart {
  /// All groups in network order, as wide as they are, in the colour of their verdict.
  static func verdicts(_ groups: [DiagnosisSummary.Group]) -> Chart {
    let names = ["too narrow", "wide enough", "undecided"]
    let colours = [Palette.warm, Palette.accent, Palette.neutral]
    let data: [JSONValue] = groups.map { group in
      [
        "group": .string(group.id), "label": .string(group.numbers.isEmpty ? group.id : "\(group.label)  \(group.id)"),
        "width": .integer(group.width), "series": .string(group.verdict),
        "drop": group.drop.map { .number($0) } ?? nil, "reason": .string(group.reason),
      ]
    }
    let bars: JSONValue = [
      "mark": ["type": "bar", "cornerRadiusEnd": 3, "height": ["band": 0.72]],
      "encoding": [
        "y": [
          "field": "label", "type": "nominal", "sort": nil, "title": nil,
          "axis": ["labelLimit": 220, "labelAlign": "left", "labelPadding": 190, "domain": false],
        ],
        "x": ["field": "width", "type": "quantitative", "title": "Channels", "scale": ["zero": true]],
        "tooltip": [
          ["field": "group", "title": "Width group"], ["field": "width", "title": "Channels"],
          ["field": "series", "title": "Verdict"], ["field": "drop", "title": "D", "format": ".2f"],
        ],
      ],
    ]
    return Chart(
      id: "verdicts", title: "Every width group, from input to output",
      caption:
        "The bar is as long as the group is wide; its colour says whether that is enough. Numbers are the layers' in figures.",
      specification: layered(
        height: max(80, 22 * groups.count), data: data, layers: [bars],
        encoding: ["color": Chart.colours(names, colours, symbol: .square)]))
  }

  /// V over the epochs of one group, with the ends of its stages.
  static func variance(
    _ group: DiagnosisSummary.Group, sources: [DiagnosisSummary.Source], prefix: String = "group"
  ) -> Chart {
    let data: [JSONValue] = zip(sources, group.curves).enumerated().flatMap { index, pair in
      zip(pair.0.epochs, pair.1).compactMap { epoch, value in
        value.map { ["source": .integer(index), "epoch": .integer(epoch), "value": .number($0)] }
      }
    }
    let colour = group.pattern.colour
    let x: JSONValue = [
      "field": "epoch", "type": "quantitative", "title": "Epoch", "scale": ["nice": false],
      "axis": ["tickMinStep": 1, "format": "d"],
    ]
    let lines: JSONValue = [
      "mark": [
        "type": "line", "strokeWidth": sources.count > 1 ? 1.4 : 2.2, "opacity": sources.count > 1 ? 0.7 : 1,
        "color": .string(colour),
      ],
      "encoding": [
        "x": x,
        "y": [
          "field": "value", "type": "quantitative", "title": "V", "scale": ["zero": true], "axis": ["tickCount": 4],
        ],
        "detail": ["field": "source", "type": "nominal"],
        "tooltip": [["field": "epoch", "title": "Epoch"], ["field": "value", "title": "V", "format": ".3g"]],
      ],
    ]
    // The stages of one seed; of several they would lie over each other.
    var layers: [JSONValue] = []
    if sources.count == 1, let finding = group.findings.first {
      let marks = [
        ("stage 1 ends", finding.stage1End), ("stage 2 ends", finding.stage2End), ("peak", finding.peakIndex),
      ]
      let places: [JSONValue] = marks.compactMap { name, index in
        index.flatMap { sources[0].epochs.indices.contains($0) ? $0 : nil }.map {
          ["epoch": .integer(sources[0].epochs[$0]), "mark": .string(name)]
        }
      }
      if !places.isEmpty {
        layers.append([
          "data": ["values": .array(places)],
          "mark": ["type": "rule", "strokeDash": [3, 3], "strokeWidth": 1, "color": .string(Palette.neutral)],
          "encoding": [
            "x": x, "tooltip": [["field": "mark", "title": "Here"], ["field": "epoch", "title": "Epoch"]],
          ],
        ])
      }
    }
    layers.append(lines)
    let place = group.numbers.isEmpty ? group.id : "Layer\(group.numbers.count == 1 ? "" : "s") \(group.label)"
    return Chart(
      id: "\(prefix)-\(identifier(group.id))", title: "\(place): \(group.verdict)",
      caption: "\(group.id), \(group.width) channels. " + capitalized(group.reason) + ".",
      specification: layered(height: 130, data: data, layers: layers))
  }

  /// The densities of a group's norms over the epochs.
  static func distributions(_ group: DiagnosisSummary.Group, _ distributions: [DiagnosisSummary.Distribution]) -> Chart
  {
    let data: [JSONValue] = distributions.flatMap { moment in
      zip(moment.density.grid, moment.density.density).map {
        ["epoch": .integer(moment.epoch), "norm": .number($0), "density": .number($1)]
      }
    }
    let epochs = distributions.map { JSONValue.integer($0.epoch) }
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 1.6],
      "encoding": [
        "x": [
          "field": "norm", "type": "quantitative", "title": "Norm over mean", "scale": ["zero": false, "nice": false],
        ],
        "y": ["field": "density", "type": "quantitative", "title": "Density", "axis": ["tickCount": 3]],
        "color": [
          "field": "epoch", "type": "ordinal", "sort": .array(epochs),
          "scale": ["scheme": "viridis", "domain": .array(epochs)], "legend": Chart.legend(.line),
        ],
        "tooltip": [
          ["field": "epoch", "title": "Epoch"], ["field": "norm", "format": ".2f", "title": "Norm over mean"],
        ],
      ],
    ]
    let place = group.numbers.isEmpty ? group.id : "Layer\(group.numbers.count == 1 ? "" : "s") \(group.label)"
    return Chart(
      id: "norms-\(identifier(group.id))", title: "\(place), \(group.width) channels",
      caption: "A line an epoch; dark is early.",
      specification: layered(height: 130, data: data, layers: [lines]))
  }

  /// Held-out accuracy, and how far the variance of each group is between its least and its largest.
  static func accuracyBesideVariance(_ summary: DiagnosisSummary, _ accuracy: [DiagnosisSummary.Accuracy]) -> Chart {
    let epochs = summary.sources.first?.epochs ?? []
    var data: [JSONValue] = accuracy.map {
      ["epoch": .integer($0.epoch), "accuracy": .number($0.top1), "series": "held-out top-1"]
    }
    for group in summary.groups {
      let values = group.curves.first?.compactMap { $0 } ?? []
      guard values.count == epochs.count, let least = values.min(), let most = values.max(), most > least else {
        continue
      }
      data += zip(epochs, values).map {
        [
          "epoch": .integer($0), "part": .number(($1 - least) / (most - least)), "group": .string(group.id),
          "series": .string(group.verdict),
        ]
      }
    }
    let x: JSONValue = [
      "field": "epoch", "type": "quantitative", "title": "Epoch", "scale": ["nice": false], "axis": ["format": "d"],
    ]
    let names = ["held-out top-1", "too narrow", "wide enough", "undecided"]
    let colours = Chart.colours(
      names, [Palette.series[2], Palette.warm, Palette.accent, Palette.neutral], symbol: .line)
    let parts: JSONValue = [
      "transform": [["filter": "isValid(datum.part)"]],
      "mark": ["type": "line", "strokeWidth": 1, "opacity": 0.6],
      "encoding": [
        "x": x,
        "y": ["field": "part", "type": "quantitative", "title": "V, from least to largest", "axis": ["grid": false]],
        "detail": ["field": "group"], "color": colours,
      ],
    ]
    let line: JSONValue = [
      "transform": [["filter": "isValid(datum.accuracy)"]],
      "mark": ["type": "line", "strokeWidth": 3],
      "encoding": [
        "x": x,
        "y": ["field": "accuracy", "type": "quantitative", "title": "Held-out top-1 (%)", "scale": ["zero": false]],
        "color": colours,
      ],
    ]
    return Chart(
      id: "accuracy-variance", title: "Accuracy beside the variance of every group",
      caption: "Thick: accuracy. Thin: V of each group between its least and its largest.",
      specification: layered(height: 260, data: data, layers: [parts, line], resolve: ["scale": ["y": "independent"]]))
  }

  /// D of the groups of one network over D of the other's.
  static func drops(_ summary: DiagnosisSummary, _ comparison: DiagnosisSummary.Comparison) -> Chart {
    let own = Dictionary(summary.groups.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let data: [JSONValue] = comparison.pairs.compactMap { pair in
      guard let group = own[pair.group], let x = pair.drop, let y = group.drop else { return nil }
      return [
        "group": .string(group.id), "x": .number(x), "y": .number(y), "series": .string(group.verdict),
        "other": .string(pair.pattern.verdict),
      ]
    }
    let points: JSONValue = [
      "mark": ["type": "point", "filled": true, "size": 70, "opacity": 0.85],
      "encoding": [
        "x": ["field": "x", "type": "quantitative", "title": "D of the projected network"],
        "y": ["field": "y", "type": "quantitative", "title": "D of the full network"],
        "tooltip": [
          ["field": "group", "title": "Width group"], ["field": "series", "title": "Full network"],
          ["field": "other", "title": "Projected network"], ["field": "x", "title": "D projected", "format": ".2f"],
          ["field": "y", "title": "D full", "format": ".2f"],
        ],
      ],
    ]
    return Chart(
      id: "drops", title: "D of both networks, a point a width group",
      caption: "Points along the diagonal: the small network says of a layer what the full one says.",
      specification: layered(
        height: 300, data: data, layers: [points],
        encoding: [
          "color": Chart.colours(
            ["too narrow", "wide enough", "undecided"], [Palette.warm, Palette.accent, Palette.neutral], symbol: .square
          )
        ]))
  }

  /// A text as a part of a chart's id.
  static func identifier(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
  }

  private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
