import Diagnosis
import Records
import Support

extension Chart {
  /// Cosines between filters, the largest norms first.
  static func cosines(_ group: DiagnosisSummary.Group, _ filters: FilterCosines) -> Chart {
    let data: [JSONValue] = filters.matrix.enumerated().flatMap { row, values in
      values.enumerated().map { column, value in
        ["x": .integer(filters.shown[column] + 1), "y": .integer(filters.shown[row] + 1), "cosine": .number(value)]
      }
    }
    func axis(_ field: String, _ title: String?) -> JSONValue {
      [
        "field": .string(field), "type": "ordinal", "title": title.map { .string($0) } ?? nil,
        "axis": ["labelOverlap": true, "ticks": false, "domain": false, "labelAngle": 0],
      ]
    }
    let cells: JSONValue = [
      "mark": ["type": "rect"],
      "encoding": [
        "x": axis("x", "Filter, by norm"), "y": axis("y", nil),
        "color": [
          "field": "cosine", "type": "quantitative", "title": "Cosine",
          "scale": ["domain": [-1, 0, 1], "range": ["#2166ac", "#ffffff", "#b2182b"], "interpolate": "rgb"],
          "legend": ["gradientLength": 90, "tickCount": 3],
        ],
        "tooltip": [
          ["field": "x", "title": "Filter"], ["field": "y", "title": "Beside"],
          ["field": "cosine", "title": "Cosine", "format": ".2f"],
        ],
      ],
    ]
    let place = group.numbers.isEmpty ? group.id : "Layer\(group.numbers.count == 1 ? "" : "s") \(group.label)"
    let part = filters.shown.count < filters.count ? "\(filters.shown.count) of \(filters.count) filters. " : ""
    return Chart(
      id: "cosines-\(identifier(group.id))", title: "\(place), \(group.width) channels",
      caption: "\(part)Mean |cosine| of all pairs \(Format.fixed(filters.mean, 3)); of random filters "
        + "\(Format.fixed(filters.ofRandom, 3)).",
      specification: layered(height: 220, data: data, layers: [cells]))
  }

  /// Norms early in training over those at its end.
  static func earlyNorms(_ groups: [DiagnosisSummary.Group]) -> Chart {
    let data: [JSONValue] = groups.flatMap { group in
      (group.early?.points ?? []).map { point in
        [
          "early": .number(point[0]), "late": .number(point[1]), "layer": .string(group.label),
          "series": .string(group.verdict),
        ]
      }
    }
    let points: JSONValue = [
      "mark": ["type": "point", "filled": true, "size": 18, "opacity": 0.55],
      "encoding": [
        "x": [
          "field": "early", "type": "quantitative", "title": "Norm at epoch 6, over the layer's mean",
          "scale": ["zero": false],
        ],
        "y": [
          "field": "late", "type": "quantitative", "title": "Norm at the end, over the layer's mean",
          "scale": ["zero": false],
        ],
        "tooltip": [
          ["field": "layer", "title": "Layers"], ["field": "early", "title": "Early"],
          ["field": "late", "title": "At the end"],
        ],
      ],
    ]
    return Chart(
      id: "early-norms", title: "Channels that lead early and in the end",
      caption: "A point a channel (of wide layers every few); the closer to a line, the earlier it was decided.",
      specification: layered(
        height: 300, data: data, layers: [points],
        encoding: [
          "color": Chart.colours(
            ["too narrow", "wide enough", "undecided"], [Palette.warm, Palette.accent, Palette.neutral], symbol: .square
          )
        ]))
  }

  /// How alike the gradients of each layer's channels are, as a multiple of random directions, over the epochs.
  static func gradientCosines(_ cosines: [GradientCosines], _ groups: [DiagnosisSummary.Group]) -> Chart {
    let data: [JSONValue] = groups.flatMap { group in
      cosines.compactMap { record in
        record.layers.first { $0.group == group.id }.map { layer in
          [
            "epoch": .integer(record.epoch), "layer": .string(group.label), "series": .string(group.verdict),
            "ratio": .number(layer.mean / layer.ofRandom), "mean": .number(layer.mean),
          ]
        }
      }
    }
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 1.5, "opacity": 0.75],
      "encoding": [
        "x": ["field": "epoch", "type": "quantitative", "title": "Epoch", "axis": ["tickMinStep": 1, "format": "d"]],
        "y": [
          "field": "ratio", "type": "quantitative", "title": "Mean |cosine|, over that of random directions",
          "scale": ["type": "log"],
        ],
        "detail": ["field": "layer"],
        "tooltip": [
          ["field": "layer", "title": "Layers"], ["field": "epoch", "title": "Epoch"],
          ["field": "mean", "title": "Mean |cosine|", "format": ".3f"],
          ["field": "ratio", "title": "Over random directions", "format": ".2f"],
        ],
      ],
    ]
    return Chart(
      id: "gradient-cosines", title: "How alike the gradients of a layer's channels are",
      caption: "A line a width group, of its first layer; 1 is what random directions have.",
      specification: layered(
        height: 260, data: data, layers: [lines],
        encoding: [
          "color": Chart.colours(
            ["too narrow", "wide enough", "undecided"], [Palette.warm, Palette.accent, Palette.neutral], symbol: .line)
        ]))
  }

  /// The part of the weights whose sign changed, over the first epochs.
  static func signChanges(_ changes: [SignChange]) -> Chart {
    let names = ["since the epoch before", "since the start"]
    let data: [JSONValue] = changes.flatMap { change -> [JSONValue] in
      zip(names, [change.sinceEpochBefore, change.sinceStart]).map {
        ["epoch": .integer(change.epoch), "series": .string($0), "value": .number($1)]
      }
    }
    let lines: JSONValue = [
      "mark": ["type": "line", "point": true, "strokeWidth": 2],
      "encoding": [
        "x": ["field": "epoch", "type": "quantitative", "title": "Epoch", "axis": ["tickMinStep": 1, "format": "d"]],
        "y": [
          "field": "value", "type": "quantitative", "title": "Weights with another sign (%)", "scale": ["zero": true],
        ],
        "tooltip": [["field": "epoch", "title": "Epoch"], ["field": "value", "title": "Percent", "format": ".2f"]],
      ],
    ]
    return Chart(
      id: "sign-changes", title: "Weights that change their sign in the first epochs",
      caption: "Of all elements of convolution and linear weights.",
      specification: layered(
        height: 220, data: data, layers: [lines],
        encoding: ["color": Chart.colours(names, [Palette.accent, Palette.warm], symbol: .line)]))
  }
}
