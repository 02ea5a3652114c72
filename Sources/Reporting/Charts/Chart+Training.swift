import Networks
import Records

/// What a training curve shows.
public enum CurveMetric: String, Sendable, CaseIterable {
  /// Held-out top-1 accuracy in percent.
  case top1
  /// Held-out cross-entropy.
  case loss
  /// Training loss.
  case trainLoss

  /// The words on the axis.
  var title: String {
    switch self {
    case .top1: "Held-out top-1 accuracy (%)"
    case .loss: "Held-out loss"
    case .trainLoss: "Training loss"
    }
  }

  func value(_ epoch: RunEvent.Epoch) -> Double? {
    switch self {
    case .top1: epoch.top1
    case .loss: epoch.loss
    case .trainLoss: epoch.trainLoss
    }
  }
}

/// The epochs of one training, as a curve.
public struct TrainingCurve: Sendable {
  /// The name that trainings of one network share: `uniform`, `optimized`.
  public var series: String
  /// The seed of the training.
  public var seed: Int
  /// The epochs that it went through.
  public var epochs: [RunEvent.Epoch]

  /// Creates a curve.
  public init(series: String, seed: Int, epochs: [RunEvent.Epoch]) {
    self.series = series
    self.seed = seed
    self.epochs = epochs
  }
}

extension Chart {
  /// A metric over the epochs: a thin line for every seed, a thick one for the mean of a series.
  ///
  /// - Parameter title: What the values are; the metric's own words when nil.
  public static func trainingCurves(
    _ curves: [TrainingCurve], metric: CurveMetric, title: String? = nil, id: String? = nil
  ) -> Chart {
    var names: [String] = []
    for curve in curves where !names.contains(curve.series) { names.append(curve.series) }
    let isRun = names.allSatisfy { ["uniform", "optimized"].contains($0) }
    let colours = names.enumerated().map { index, name in
      isRun ? Palette.variant(name, index: index) : Palette.series[index % Palette.series.count]
    }
    let data: [JSONValue] = curves.flatMap { curve in
      curve.epochs.compactMap { epoch in
        metric.value(epoch).flatMap { value in
          value.isFinite
            ? [
              "series": .string(curve.series), "seed": .integer(curve.seed), "epoch": .integer(epoch.epoch + 1),
              "value": .number(value),
            ] : nil
        }
      }
    }
    let hasSeeds = names.contains { name in curves.count { $0.series == name } > 1 }
    // Of few epochs each has its mark: halves between them would be rounded to a number that is there already.
    let last = curves.flatMap { $0.epochs.map(\.epoch) }.max() ?? 0
    var axis: JSONValue = ["tickMinStep": 1, "format": "d"]
    if last < 12 { axis["values"] = .array((0...max(last, 0)).map { .integer($0 + 1) }) }
    let x: JSONValue = [
      "field": "epoch", "type": "quantitative", "title": "Epoch", "scale": ["nice": false], "axis": axis,
    ]
    // A training that diverged would press all others onto the axis.
    let isLogarithmic = spansMagnitudes(curves, metric)
    let title = (title ?? metric.title) + (isLogarithmic ? " (log scale)" : "")
    let isZoomed = !isLogarithmic && curves.count > 1 && curves.contains { $0.epochs.count >= 10 }
    let scale: JSONValue =
      isLogarithmic
      ? ["type": "log", "nice": false, "padding": 8] : isZoomed ? zoom(curves, metric: metric) : ["zero": false]
    func y(_ aggregate: JSONValue?) -> JSONValue {
      var channel: JSONValue = [
        "field": "value", "type": "quantitative", "title": .string(title), "scale": scale,
      ]
      channel["aggregate"] = aggregate
      return channel
    }
    let seeds: JSONValue = [
      "mark": ["type": "line", "clip": true, "strokeWidth": 1, "opacity": 0.45],
      "encoding": ["x": x, "y": y(nil), "detail": ["field": "seed", "type": "nominal"]],
    ]
    let isShort = (data.count / max(1, curves.count)) < 16
    let mean: JSONValue = [
      "mark": [
        "type": "line", "clip": true, "strokeWidth": 2.5,
        "point": isShort ? ["size": 34, "filled": true] : .bool(false),
      ],
      "encoding": [
        "x": x, "y": y("mean"),
        "tooltip": [
          ["field": "series", "title": "Network"], ["field": "epoch", "title": "Epoch"],
          ["field": "value", "aggregate": "mean", "title": .string(title), "format": ".4~g"],
        ],
      ],
    ]
    return Chart(
      id: id ?? "curve-\(metric.rawValue.lowercased())", title: title,
      caption: (hasSeeds ? "Thick: mean over seeds. Thin: every seed." : "One seed.")
        + (isZoomed ? " The first epochs may lie outside the picture." : ""),
      specification: layered(
        height: 240, data: data, layers: hasSeeds ? [seeds, mean] : [mean],
        encoding: ["color": Chart.colours(names, colours, symbol: .line)]))
  }

  // Losses of which one is a hundred times another; percent are not among them.
  private static func spansMagnitudes(_ curves: [TrainingCurve], _ metric: CurveMetric) -> Bool {
    guard metric != .top1 else { return false }
    let values = curves.flatMap { $0.epochs.compactMap { metric.value($0) }.filter(\.isFinite) }
    guard let least = values.min(), let most = values.max() else { return false }
    return least > 0 && most >= 100 * least
  }

  // The first epochs differ so much from the rest that networks could not be told apart beside them.
  private static func zoom(_ curves: [TrainingCurve], metric: CurveMetric) -> JSONValue {
    let values = curves.flatMap { curve in
      curve.epochs.dropFirst(curve.epochs.count / 5).compactMap { metric.value($0) }.filter(\.isFinite)
    }
    guard let least = values.min(), let most = values.max(), least < most else { return ["zero": false] }
    let margin = 0.04 * (most - least)
    return ["domain": [.number(least - margin), .number(most + margin)], "nice": false, "zero": false]
  }
}
