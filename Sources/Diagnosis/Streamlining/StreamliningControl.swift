import Networks
import Support

/// What a streamlined network is compared with, at about its parameters.
public enum StreamliningControl: String, Codable, Hashable, Sendable, CaseIterable {
  /// One factor on all widths.
  case uniform
  /// As many narrow and wide groups, drawn at random.
  case random
  /// Narrow and wide exchanged.
  case inverse

  /// The patterns of the control; nil for ``uniform``, which needs none.
  ///
  /// - Parameter seed: The seed of what is drawn.
  public func patterns(_ patterns: PerGroup<WidthPattern>, seed: Int) -> PerGroup<WidthPattern>? {
    switch self {
    case .uniform: return nil
    case .inverse:
      return patterns.mapValues { pattern in
        switch pattern {
        case .increaseToSaturate: .decreaseToSaturate
        case .decreaseToSaturate: .increaseToSaturate
        default: pattern
        }
      }
    case .random:
      let clear = patterns.groups.filter {
        patterns[$0] == .increaseToSaturate || patterns[$0] == .decreaseToSaturate
      }
      var generator = SeededGenerator(seed: seed, .streamliningControl)
      var labels = clear.compactMap { patterns[$0] }
      for last in labels.indices.dropFirst().reversed() { labels.swapAt(last, generator.nextInt(below: last + 1)) }
      return zip(clear, labels).reduce(into: patterns) { $0[$1.0] = $1.1 }
    }
  }
}
