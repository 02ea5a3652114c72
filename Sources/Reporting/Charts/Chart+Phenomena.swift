import Records
import Support

extension Chart {
  /// The Fisher information over the epochs, over its value before training.
  static func criticalPeriod(_ summary: PhenomenaSummary) -> Chart {
    phenomenon(
      "critical-period", .criticalPeriod, "Fisher trace, over its first", x: "Epoch",
      series: ["trace"],
      points: summary.seeds.flatMap { seed in
        seed.criticalPeriod.traces.enumerated().map { epoch, trace in
          .init(
            x: Double(epoch), series: "trace", seed: seed.seed,
            value: trace / max(seed.criticalPeriod.traces[0], .leastNormalMagnitude))
        }
      })
  }

  /// Errors of single frequencies over the epochs.
  static func frequencies(_ summary: PhenomenaSummary) -> Chart {
    let periods = summary.seeds.first?.frequencies.frequencies ?? []
    return phenomenon(
      "frequency-principle", .frequencyPrinciple, "Relative error", x: "Epoch", logarithmic: true,
      series: periods.map { Format.number($0, "period") },
      points: summary.seeds.flatMap { seed in
        zip(seed.frequencies.epochs, seed.frequencies.errors).filter { $0.0 > 0 }.flatMap { epoch, errors in
          zip(periods, errors).map {
            .init(x: Double(epoch), series: Format.number($0, "period"), seed: seed.seed, value: $1)
          }
        }
      })
  }

  /// Accuracies of modular addition over the epochs.
  static func grokking(_ summary: PhenomenaSummary) -> Chart {
    let names = ["trained on", "held out"]
    return phenomenon(
      "grokking", .grokking, "Accuracy (%)", x: "Epoch", logarithmic: true, series: names,
      points: summary.seeds.flatMap { seed in
        zip(names, [seed.grokking.training, seed.grokking.heldOut]).flatMap { name, values in
          zip(seed.grokking.epochs, values).filter { $0.0 > 0 }.map {
            .init(x: Double($0), series: name, seed: seed.seed, value: $1)
          }
        }
      })
  }

  /// Errors over the widths.
  static func descentOverWidths(_ summary: PhenomenaSummary) -> Chart {
    let names = ["trained on", "held out"]
    return phenomenon(
      "double-descent-widths", .doubleDescent, "Error (%)", x: "Hidden features", logarithmic: true, series: names,
      points: summary.seeds.flatMap { seed in
        zip(names, [seed.descent.training, seed.descent.heldOut]).flatMap { name, values in
          zip(seed.descent.widths, values).map { .init(x: Double($0), series: name, seed: seed.seed, value: $1) }
        }
      })
  }

  /// Errors of the widest network over the epochs.
  static func descentOverEpochs(_ summary: PhenomenaSummary) -> Chart {
    let width = summary.seeds.first?.descent.widths.last ?? 0
    return phenomenon(
      "double-descent-epochs", .doubleDescent, "Held-out error (%)", x: "Epoch", logarithmic: true,
      series: ["\(width) hidden features"],
      points: summary.seeds.flatMap { seed in
        zip(seed.descent.epochs, seed.descent.heldOutByEpoch).filter { $0.0 > 0 }.map {
          .init(x: Double($0), series: "\(width) hidden features", seed: seed.seed, value: $1)
        }
      })
  }

  /// The variance of weight norms over the epochs, over its largest value.
  static func channelVariance(_ summary: PhenomenaSummary) -> Chart {
    var names: [String] = []
    var points: [Point] = []
    for seed in summary.seeds {
      for layer in [seed.channels.narrow, seed.channels.wide] {
        let name = "\(layer.width) features"
        if !names.contains(name) { names.append(name) }
        let largest = max(layer.curve.compactMap { $0 }.max() ?? 1, .leastNormalMagnitude)
        for (epoch, value) in layer.curve.enumerated() {
          guard let value else { continue }
          points.append(Point(x: Double(epoch), series: name, seed: seed.seed, value: value / largest))
        }
      }
    }
    return phenomenon(
      "channels", .matthewEffect, "V, over its largest", x: "Epoch", series: names, points: points)
  }

  private struct Point {
    var x: Double
    var series: String
    var seed: Int
    var value: Double
  }

  private static func phenomenon(
    _ id: String, _ phenomenon: Phenomenon, _ y: String, x: String, logarithmic: Bool = false, series: [String],
    points: [Point]
  ) -> Chart {
    let data: [JSONValue] = points.map {
      [
        "x": .number($0.x), "series": .string($0.series), "seed": .integer($0.seed),
        "value": .number(($0.value * 1e4).rounded() / 1e4),
      ]
    }
    let lines: JSONValue = [
      "mark": ["type": "line", "strokeWidth": 1.5, "opacity": 0.8],
      "encoding": [
        "x": [
          "field": "x", "type": "quantitative", "title": .string(x), "axis": ["format": "~d", "labelOverlap": true],
          "scale": ["type": .string(logarithmic ? "log" : "linear"), "nice": false],
        ],
        "y": ["field": "value", "type": "quantitative", "title": .string(y), "scale": ["zero": true]],
        "detail": ["field": "seed"],
        "tooltip": [
          ["field": "seed", "title": "Seed"], ["field": "x", "title": .string(x)], ["field": "series", "title": "Of"],
          ["field": "value", "title": .string(y), "format": ".3f"],
        ],
      ],
    ]
    let name = phenomenon.rawValue
    return Chart(
      id: id, title: "\(name.prefix(1).uppercased())\(name.dropFirst()): \(phenomenon.seen)",
      caption: "A line a seed and colour.",
      specification: layered(
        height: 220, data: data, layers: [lines],
        encoding: ["color": Chart.colours(series, Array(Palette.series.prefix(series.count)), symbol: .line)]))
  }
}
