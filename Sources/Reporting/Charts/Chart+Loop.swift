import Diagnosis
import Records
import Support

extension Chart {
  /// Two numbers of each channel over the steps.
  static func loop(
    _ loop: TwoChannelLoop, id: String, _ title: String, _ incoming: KeyPath<TwoChannelLoop.Sample, [Double]>,
    _ outgoing: KeyPath<TwoChannelLoop.Sample, [Double]>
  ) -> Chart {
    let stride = max(1, loop.samples.count / 200)
    let data: [JSONValue] = loop.samples.filter { $0.step % stride == 0 }.flatMap { sample in
      [("incoming", sample[keyPath: incoming]), ("outgoing", sample[keyPath: outgoing])].flatMap { side, values in
        values.enumerated().map { channel, value -> JSONValue in
          [
            "step": .integer(sample.step), "value": .number(value), "side": .string(side),
            "series": .string("channel \(channel + 1)"),
          ]
        }
      }
    }
    let names = (loop.samples.first?.incoming ?? []).indices.map { "channel \($0 + 1)" }
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 2],
      "encoding": [
        "x": ["field": "step", "type": "quantitative", "title": "Step", "axis": ["format": "d"]],
        "y": ["field": "value", "type": "quantitative", "title": "Norm", "scale": ["zero": true]],
        "strokeDash": [
          "field": "side", "type": "nominal", "title": nil,
          "scale": ["domain": ["incoming", "outgoing"], "range": [[1, 0], [4, 3]]],
        ],
        "tooltip": [
          ["field": "step", "title": "Step"], ["field": "series", "title": "Channel"],
          ["field": "side", "title": "Weights"], ["field": "value", "title": "Norm", "format": ".3f"],
        ],
      ],
    ]
    return Chart(
      id: id, title: title, caption: "Solid: what computes the channel. Dashed: what reads it.",
      specification: layered(
        height: 220, data: data, layers: [lines],
        encoding: ["color": Chart.colours(names, Array(Palette.series.prefix(names.count)), symbol: .line)]))
  }

  /// A drawn curve with the ends of its stages.
  static func stages(_ curve: StageCurve, id: String) -> Chart {
    let data: [JSONValue] = curve.values.enumerated().map { ["epoch": .integer($0), "value": .number($1)] }
    let x: JSONValue = ["field": "epoch", "type": "quantitative", "title": "Epoch", "scale": ["nice": false]]
    let marks: [(String, Int?)] = [("t1", curve.finding.stage1End), ("t2", curve.finding.stage2End)]
    let places: [JSONValue] = marks.compactMap { name, epoch in
      epoch.map { ["epoch": .integer($0), "mark": .string(name), "top": .number(curve.values.max() ?? 0)] }
    }
    let rules: JSONValue = [
      "data": ["values": .array(places)],
      "mark": ["type": "rule", "strokeDash": [3, 3], "strokeWidth": 1, "color": .string(Palette.neutral)],
      "encoding": ["x": x],
    ]
    let labels: JSONValue = [
      "data": ["values": .array(places)],
      "mark": ["type": "text", "align": "left", "dx": 4, "dy": -4, "color": .string(Palette.neutral)],
      "encoding": ["x": x, "y": ["field": "top", "type": "quantitative"], "text": ["field": "mark"]],
    ]
    let line: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 2.4, "color": .string(curve.finding.pattern.colour)],
      "encoding": ["x": x, "y": ["field": "value", "type": "quantitative", "title": "V", "axis": ["tickCount": 4]]],
    ]
    return Chart(
      id: id, title: "\(curve.finding.pattern.rawValue): \(curve.finding.pattern.verdict)",
      caption: "Stage 1 ends at t1, stage 2 at t2.",
      specification: layered(height: 200, data: data, layers: [rules, labels, line]))
  }
}
