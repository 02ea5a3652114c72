import Foundation

/// A Vega-Lite chart with the words that stand around it.
public struct Chart: Sendable, Hashable {
  /// A short name: letters, digits and hyphens.
  public var id: String
  /// What the chart shows, in a few words.
  public var title: String
  /// How to read the chart.
  public var caption: String
  /// The Vega-Lite specification, its data included; it fills the width of its container.
  public var specification: JSONValue

  /// Creates a chart from a finished specification.
  public init(id: String, title: String, caption: String, specification: JSONValue) {
    self.id = id
    self.title = title
    self.caption = caption
    self.specification = specification
  }

  /// The specification with a fixed width and its title, for a picture file outside of a page.
  public func picture(width: Int = 760) -> JSONValue {
    var picture = specification
    picture["width"] = .integer(width)
    picture["padding"] = 12
    picture["title"] = ["text": .string(title), "anchor": "start", "fontSize": 15, "fontWeight": 600, "offset": 14]
    return picture
  }
}

/// The colours of the charts: middle tones that can be read on white and on black.
enum Palette {
  static let accent = "#3f82f2"
  static let neutral = "#8e98a8"
  static let warm = "#e0803a"
  static let text = "#7a8494"
  static let line = "#8e98a8"
  static let series = ["#3f82f2", "#e0803a", "#22a38b", "#b267d6", "#c99a2b", "#dc5a7a", "#6c8f3c", "#5b7fa6"]

  /// The colour of a trained network.
  static func variant(_ name: String, index: Int) -> String {
    switch name {
    case "optimized": accent
    case "uniform": neutral
    default: series[(index + 1) % series.count]
    }
  }
}

extension Chart {
  /// A specification of layers over shared data, in the style that all charts have.
  static func layered(
    height: Int, data: [JSONValue], layers: [JSONValue], encoding: JSONValue? = nil, resolve: JSONValue? = nil
  ) -> JSONValue {
    var specification: JSONValue = [
      "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
      "width": "container",
      "height": .integer(height),
      "background": "transparent",
      "autosize": ["type": "fit-x", "contains": "padding"],
      "data": ["values": .array(data)],
      "layer": .array(layers),
      "config": style,
    ]
    specification["encoding"] = encoding
    specification["resolve"] = resolve
    return specification
  }

  /// A colour scale that gives each name its colour.
  static func colours(_ names: [String], _ colours: [String], symbol: LegendSymbol) -> JSONValue {
    [
      "field": "series", "type": "nominal", "sort": .array(names.map(JSONValue.string)),
      "scale": [
        "domain": .array(names.map(JSONValue.string)), "range": .array(colours.map(JSONValue.string)),
      ],
      "legend": names.count > 1 ? legend(symbol) : nil,
    ]
  }

  /// How a legend shows a colour.
  enum LegendSymbol: String {
    /// A short line, for lines.
    case line = "stroke"
    /// A filled square, for bars.
    case square
  }

  /// A legend in one line above the chart.
  static func legend(_ symbol: LegendSymbol) -> JSONValue {
    [
      "orient": "top", "direction": "horizontal", "title": nil, "symbolType": .string(symbol.rawValue),
      "symbolStrokeWidth": symbol == .line ? 3 : 0, "columns": 6,
    ]
  }

  private static let style: JSONValue = {
    let font: JSONValue = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
    return [
      "font": font,
      "view": ["stroke": nil],
      "title": ["color": .string(Palette.text), "font": font],
      "axis": [
        "labelColor": .string(Palette.text), "titleColor": .string(Palette.text), "labelFontSize": 11,
        "titleFontSize": 11, "titleFontWeight": 500, "titlePadding": 10, "labelPadding": 6, "labelSeparation": 8,
        "domainColor": .string(Palette.line), "domainOpacity": 0.5, "ticks": false,
        "gridColor": .string(Palette.line), "gridOpacity": 0.22,
      ],
      "axisX": ["grid": false],
      "axisY": ["domain": false],
      "legend": [
        "labelColor": .string(Palette.text), "titleColor": .string(Palette.text), "labelFontSize": 12,
        "symbolSize": 100, "symbolOpacity": 1, "offset": 8, "columnPadding": 14,
      ],
      "text": ["color": .string(Palette.text), "fontSize": 11],
      "line": ["strokeCap": "round", "strokeJoin": "round"],
    ]
  }()
}
