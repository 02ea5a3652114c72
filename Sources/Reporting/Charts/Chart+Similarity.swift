import Networks
import Records
import Support

extension Chart {
  /// Pearson's correlation between the widths of all arms that searched, as a table of coloured cells.
  public static func widthSimilarity(_ summary: ComparisonSummary, id: String = "width-similarity") -> Chart {
    let arms = summary.methodArms.filter { $0.mode != .control }
    let data: [JSONValue] = arms.flatMap { first in
      arms.map { second in
        let similarity = WidthSimilarity(first, second)
        let pearson = similarity.pearson
        return [
          "first": .string(first.label), "second": .string(second.label),
          "pearson": .number(pearson ?? .nan), "text": .string(Format.fixed(pearson ?? .nan, 2)),
          "short": .string(Format.fixed(pearson ?? .nan, 2).replacing("0.", with: ".").replacing("1.00", with: "1")),
          "cosine": .string(Format.fixed(similarity.cosine ?? .nan, 3)),
          // The share of variance that the two have in common.
          "strength": .number((pearson ?? 0) * (pearson ?? 0)),
        ]
      }
    }
    let labels = arms.map { JSONValue.string($0.label) }
    let longest = arms.map(\.label.count).max() ?? 0
    let axis: JSONValue = ["labelLimit": longest > 30 ? 330 : 190, "labelFontSize": 12, "domain": false, "grid": false]
    var columns = axis
    columns["labelAngle"] = -50
    columns["labelOverlap"] = false
    func position(_ field: String, _ axis: JSONValue) -> JSONValue {
      [
        "field": .string(field), "type": "nominal", "sort": .array(labels), "scale": ["domain": .array(labels)],
        "title": nil, "axis": axis,
      ]
    }
    let encoding: JSONValue = ["x": position("second", columns), "y": position("first", axis)]
    let tooltip: JSONValue = [
      ["field": "first", "title": "Widths"], ["field": "second", "title": "Beside"],
      ["field": "text", "title": "Pearson"], ["field": "cosine", "title": "Cosine"],
    ]
    // Under the colours and for the numbers a picture file has white and black; in a page the style sheet puts its own.
    let paper: JSONValue = ["name": "cell_paper", "mark": ["type": "rect", "color": "#ffffff"]]
    let cells: JSONValue = [
      "mark": ["type": "rect"],
      "encoding": [
        "color": [
          "condition": ["test": "datum.pearson < 0", "value": .string(Palette.warm)], "value": .string(Palette.accent),
        ],
        "opacity": [
          "field": "strength", "type": "quantitative", "legend": nil,
          "scale": ["domain": [0, 1], "range": [0.05, 0.6]],
        ],
        "tooltip": tooltip,
      ],
    ]
    // In narrow cells a number goes without its zero.
    let isTight = "width < \(34 * arms.count)"
    let numbers: JSONValue = [
      "name": "cell_numbers",
      "mark": ["type": "text", "color": "#14181f", "fontSize": ["expr": .string("\(isTight) ? 8 : 12")]],
      "encoding": [
        "text": ["condition": ["test": .string(isTight), "field": "short"], "field": "text"], "tooltip": tooltip,
      ],
    ]
    return Chart(
      id: id, title: "Correlation of the width multipliers",
      caption: "Pearson's correlation of the mean multipliers over all width groups. Blue: wide and narrow in the same "
        + "places, the stronger the more alike; orange: in opposite places.",
      specification: layered(height: 30 * arms.count, data: data, layers: [paper, cells, numbers], encoding: encoding))
  }
}

/// How alike the mean multipliers of two arms are, over the groups that both have.
struct WidthSimilarity: Sendable {
  let pearson: Double?
  let cosine: Double?

  init(_ first: MethodArm, _ second: MethodArm) {
    let pairs = zip(first.multipliers, second.multipliers).compactMap { first, second in
      first.flatMap { first in second.map { (first, $0) } }
    }
    pearson = Similarity.pearson(pairs.map(\.0), pairs.map(\.1))
    cosine = Similarity.cosine(pairs.map(\.0), pairs.map(\.1))
  }
}
