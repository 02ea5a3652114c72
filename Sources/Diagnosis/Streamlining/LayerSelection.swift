import Networks
import Support

/// Width groups that a person names: by layer numbers as figures have them (`1-7`, `4`), or by name.
public enum LayerSelection {
  /// The groups of a selection such as `1-4,7` or `layer1.0.conv1`.
  ///
  /// - Throws: ``Support/UsageFailure`` for what names no layer.
  public static func groups(_ text: String, of network: ResolvedNetwork) throws -> [WidthGroup.ID] {
    let numbers = network.layerNumbers
    var groupOfLayer: [String: WidthGroup.ID] = [:]
    for group in network.widthGroups { for layer in group.layers { groupOfLayer[layer] = group.id } }
    let last = numbers.values.max() ?? 0
    var found: [WidthGroup.ID] = []
    for part in text.split(separator: ",").map({ $0.trimmed }) where !part.isEmpty {
      if network.widthGroup(part) != nil {
        found.append(part)
      } else if let group = groupOfLayer[part] {
        found.append(group)
      } else if let range = range(part) {
        guard range.lowerBound >= 1, range.upperBound <= last else {
          throw UsageFailure("\(network.name) has layers 1 to \(last), not \(part); `inspect` lists its groups")
        }
        let layers = numbers.filter { range.contains($0.value) }.sorted { $0.value < $1.value }.map(\.key)
        for layer in layers {
          guard let group = groupOfLayer[layer] else {
            throw UsageFailure(
              "layer \(numbers[layer] ?? 0) of \(network.name), \(layer), has no width of its own to change")
          }
          found.append(group)
        }
      } else {
        let near = nearestNames(to: part, in: network.widthGroups.map(\.id))
        throw UsageFailure(
          "\(part) is no layer number, range of them (1-7) or width group of \(network.name)"
            + (near.isEmpty ? "" : "; nearest: \(near.joined(separator: ", "))"))
      }
    }
    return found.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  private static func range(_ text: String) -> ClosedRange<Int>? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    switch (ends.count, ends.first ?? nil, ends.last ?? nil) {
    case (1, let one?, _): return one...one
    case (2, let low?, let high?) where low <= high: return low...high
    default: return nil
    }
  }

  /// Patterns from two selections.
  ///
  /// - Throws: ``Support/UsageFailure`` as ``groups(_:of:)``, and when a group is in both.
  public static func patterns(
    narrow: [String], wide: [String], of network: ResolvedNetwork
  ) throws -> PerGroup<WidthPattern> {
    var patterns = PerGroup<WidthPattern>()
    for (texts, pattern) in [(narrow, WidthPattern.decreaseToSaturate), (wide, .increaseToSaturate)] {
      for id in try texts.flatMap({ try groups($0, of: network) }) {
        if let other = patterns[id], other != pattern {
          let layers = network.widthGroup(id)?.layers.joined(separator: ", ") ?? id
          throw UsageFailure(
            "the width group \(id) is given both as DS and as IS; its layers have one width: \(layers)")
        }
        patterns[id] = pattern
      }
    }
    return patterns
  }
}

extension Substring {
  fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
