import Diagnosis
import Support

extension DiagnosisSummary {
  /// Groups of one verdict, as layer numbers where they have some.
  public func names(_ pattern: WidthPattern) -> String {
    let alike = groups.filter { $0.pattern == pattern }
    let numbers = alike.flatMap(\.numbers)
    let others = alike.filter(\.numbers.isEmpty).map(\.id)
    let layers =
      numbers.isEmpty ? [] : ["layer\(numbers.count == 1 ? "" : "s") \(LayerNumbers.text(numbers))"]
    return (layers + others).joined(separator: ", ")
  }

  /// What matters most, in a sentence or two.
  public var headline: String {
    let narrow = groups.count { $0.pattern == .decreaseToSaturate }
    let wide = groups.count { $0.pattern == .increaseToSaturate }
    let undecided = groups.count - narrow - wide
    var parts: [String] = []
    if narrow > 0 {
      parts.append(
        "\(Format.number(narrow, "width group")) of \(groups.count) too narrow (\(names(.decreaseToSaturate)))")
    } else {
      parts.append("No width group of \(groups.count) is found too narrow")
    }
    if wide > 0 { parts.append("\(wide) wide enough (\(names(.increaseToSaturate)))") }
    if undecided > 0 { parts.append("\(undecided) undecided") }
    var text = parts.joined(separator: "; ") + "."
    if let short = shortSeries { text += " " + short }
    if let remark { text += " " + remark }
    return text
  }

  /// What is to be said of series that are too short; nil when none is.
  public var shortSeries: String? {
    guard let least = sources.map(\.epochs.count).min(), least < rules.leastSamples else { return nil }
    return
      "The series is short: \(Format.number(least, "sample")), and nothing is said of fewer than \(rules.leastSamples). Train longer, or "
      + "give the weights of more epochs."
  }
}

extension DiagnosisSummary.Comparison {
  /// How far the other network's diagnosis agrees, in a sentence.
  public var text: String {
    let kappa =
      agreement.kappa.map { "Cohen's κ \(Format.fixed($0, 2))" } ?? "both have one and the same pattern everywhere"
    let drops = agreement.dropCorrelation.map { ", rank correlation of D \(Format.fixed($0, 2))" } ?? ""
    return
      "The projected network's diagnosis agrees in \(Format.percent(100 * agreement.agreement, 0)) of \(Format.number(agreement.groups, "width group")) "
      + "(\(kappa)\(drops))."
  }
}
